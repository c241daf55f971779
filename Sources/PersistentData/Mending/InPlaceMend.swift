/// A plan for mending in place, where a check found nothing worse than what can be mended.
package protocol InPlaceMend: Sendable {
  /// Changes all blocks concerned, each once, the superblock last.
  func edit(through editor: inout some BlockEditor) throws(IOError)
}

extension InPlaceMend {
  /// Writes the changes; call only after a check without errors. `undoPath`: a new file that first
  /// receives the current contents of all blocks concerned.
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
}
