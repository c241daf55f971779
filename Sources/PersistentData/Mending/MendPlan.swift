/// What mending in place will write where a check found nothing worse than what can be mended:
/// blocks of space maps, blocks of the target's own, and the superblock last.
///
/// Only fields concerned are rewritten; bytes that nobody here knows survive.
package struct MendPlan<Superblock: SuperblockFormat>: Sendable {
  package let metadataMap: SpaceMapMend
  /// As it has to be afterwards, but for the root of the metadata space map.
  package let superblock: Superblock

  package init(metadataMap: SpaceMapMend, superblock: Superblock) {
    self.metadataMap = metadataMap
    self.superblock = superblock
  }

  /// Writes it; call only after a check without errors. `undoPath`: a new file that first gets
  /// what all blocks concerned hold now.
  package func apply(
    to file: BlockFile, keepingUndoAt undoPath: String? = nil
  ) throws(MendError) {
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

  private func edit(through editor: inout some BlockEditor) throws(IOError) {
    var superblock = superblock
    superblock.metadataSpaceMap = try metadataMap.apply(through: &editor)
    try editor.flush()
    try editor.edit(.superblock, sealedAs: Superblock.kind) { superblock.encode(into: &$0) }
    try editor.flush()
  }
}

extension MendPlan {
  /// Visits the metadata space map's own blocks, then holds its counts against all that was counted
  /// before: the last part of a check.
  ///
  /// `superblock`: as it stands; its needs_check is cleared in the plan. `metadata`: where it is
  /// said that counts can't be judged. `isAllReached`: whether whatever may refer to blocks was
  /// read; if not, a count that is too high tells of nothing. `missedByFormat`: as for
  /// `SpaceMapComparison`.
  package init(
    _ superblock: Superblock, _ label: StructureLabel, of metadata: Site, in file: BlockFile,
    isAllReached: Bool = true, missedByFormat: UInt32 = 0, usage: inout BlockUsage,
    findings: inout Findings
  ) {
    let map = StoredSpaceMap(
      label, root: superblock.metadataSpaceMap, index: .block, in: file, usage: &usage,
      findings: &findings)
    var differences = Findings()
    let mend = SpaceMapMend(
      map, usage.references, missedByFormat: missedByFormat, findings: &differences)
    if !isAllReached || findings.worst == .error || !map.hasAllLargeCounts {
      let hidden = differences.drop(.leak)
      if hidden > 0 {
        findings.report(.countsNotJudged, at: metadata, found: "\(hidden) blocks")
      }
    }
    findings.merge(differences)
    var mended = superblock
    if let flag = Superblock.needsCheckFlag { mended.flags &= ~flag }
    self.init(metadataMap: mend, superblock: mended)
  }
}
