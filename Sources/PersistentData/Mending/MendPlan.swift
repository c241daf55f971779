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
