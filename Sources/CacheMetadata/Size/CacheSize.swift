internal import PersistentData

/// How much metadata a cache needs.
package enum CacheSize {
  /// The size to give a metadata device, in bytes: what all tools have always advised, 4 MiB for
  /// changes under way and a fixed size per block, capped at what kernels use.
  package static func advised(
    _ cacheBlocks: UInt64, hintWidth: UInt64
  ) -> (bytes: UInt64, isLimited: Bool) {
    let limit = MetadataBlock.maximumCount * UInt64(MetadataBlock.size)
    let (bytes, isHuge) = cacheBlocks.multipliedReportingOverflow(by: 16 + 8 + hintWidth)
    let room: UInt64 = 4 << 20
    if isHuge || bytes > limit - room { return (limit, true) }
    return (room + bytes, false)
  }

  /// Blocks of the arrays of a cache of this many blocks, without discards.
  package static func arrayBlocks(
    _ cacheBlocks: UInt64, hasHints: Bool, hasDirtyBitset: Bool
  ) -> UInt64 {
    ArraySize.blocks(CacheReader.Structure.mappings, cacheBlocks)
      + (hasHints ? ArraySize.blocks(CacheReader.Structure.hints, cacheBlocks) : 0)
      + (hasDirtyBitset ? ArraySize.blocks(CacheReader.Structure.dirtyBits, cacheBlocks) : 0)
      // The discard bitset, which starts empty.
      + 1
  }
}
