/// What was salvaged from damaged metadata and can be written as new metadata.
package protocol RestorableSalvage {
  /// Blocks that new metadata needs on a device of `blockCount` blocks, which may be too few.
  func neededBlocks(on blockCount: UInt64) throws(WriteError) -> UInt64
  /// Writes new metadata. A device that is too small is left as it is.
  func restore(to file: BlockFile) throws(WriteError)
}
