package import PersistentData

extension CheckReport: MetadataReport {
  /// Whether the whole pool was looked at, space maps included.
  package var isComplete: Bool { !mends.isEmpty }

  /// Whether the kernel waits for a check like this one.
  var needsCheck: Bool { superblock?.needsCheck == true && isComplete }

  /// Whether there is anything that `mend` would change.
  package var needsMending: Bool {
    findings.hasMendable || superblock?.needsCheck == true
  }

  /// Mends in place what can be mended, and clears needs_check. Only after a full check without
  /// errors: blocks of the space maps first, then devices' details, the superblock last.
  ///
  /// `undoPath`: a new file that first gets what all blocks concerned hold now.
  package func mend(_ file: BlockFile, keepingUndoAt undoPath: String?) throws(MendError) {
    precondition(findings.worst != .error && mends.count == 2)
    if let undoPath {
      do throws(IOError) {
        try UndoRecorder.record(file, at: undoPath) { (editor) throws(IOError) in
          try edit(through: &editor)
        }
      } catch {
        throw .undoFile(error)
      }
    }
    var editor = DeviceEditor(file)
    do throws(IOError) { try edit(through: &editor) } catch { throw .device(error) }
  }

  package static func fullCheck(of file: BlockFile) throws(IOError) -> Findings {
    try CheckReport(of: file, CheckScope()).findings
  }

  private func edit(through editor: inout some BlockEditor) throws(IOError) {
    let dataMap = try mends[0].apply(through: &editor)
    let metadataMap = try mends[1].apply(through: &editor)
    let time = try superblock?.raise(snapshottedTimesTooLow, in: mends[0].file, through: &editor)
    try editor.flush()
    try editor.edit(.superblock, sealedAs: .thinSuperblock) { bytes in
      dataMap.encode(into: &bytes, at: Superblock.Layout.dataSpaceMap)
      metadataMap.encode(into: &bytes, at: Superblock.Layout.metadataSpaceMap)
      if let time { bytes[Superblock.Layout.time] = time }
      bytes[Superblock.Layout.flags] &= ~Superblock.needsCheckFlag
    }
    try editor.flush()
  }
}
