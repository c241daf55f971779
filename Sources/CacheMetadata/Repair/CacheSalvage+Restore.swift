package import PersistentData

extension CacheSalvage: RestorableSalvage {
  /// Blocks that new metadata takes on a device of `blockCount` blocks, which may be too few.
  package func neededBlocks(on blockCount: UInt64) -> UInt64 {
    ArraySize.metadataBlocks(
      forArrays: CacheSize.arrayBlocks(
        UInt64(header.cacheBlockCount), hasHints: hasHints, hasDirtyBitset: version > 1),
      on: blockCount)
  }

  /// Writes new metadata. A device that is too small is left as it is.
  package func restore(to file: BlockFile) throws(WriteError) {
    let available = min(file.blockCount, MetadataBlock.maximumCount)
    let needed = neededBlocks(on: available)
    guard needed <= available else {
      throw .outputTooSmall(needed: needed, available: available)
    }
    var restorer = CacheRestorer(file)
    restorer.version = version
    try emit(to: &restorer)
  }
}
