package import PersistentData

extension CacheSalvage {
  /// Blocks that new metadata takes on a device of `blockCount` blocks, which may be too few.
  package func neededBlocks(on blockCount: UInt64) throws(WriteError) -> UInt64 {
    var counter = CacheRestorer(counting: blockCount)
    counter.version = version
    do throws(WriteError) { try say(to: &counter) } catch {
      guard case .outputTooSmall(let needed, _) = error else { throw error }
      return needed
    }
    return counter.neededBlocks
  }

  /// Writes new metadata. A device that is too small is left as it is.
  package func restore(to file: BlockFile) throws(WriteError) {
    let available = min(file.blockCount, MetadataBlock.maximumCount)
    let needed = try neededBlocks(on: available)
    guard needed <= available else {
      throw .outputTooSmall(needed: needed, available: available)
    }
    var restorer = CacheRestorer(file)
    restorer.version = version
    try say(to: &restorer)
  }
}
