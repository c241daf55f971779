/// How many blocks arrays need, their index trees included.
package enum ArraySize {
  /// The blocks of an array of `entries` entries that is written in one go.
  package static func blocks(_ shape: ArrayShape, _ entries: UInt64) -> UInt64 {
    let arrayBlocks = shape.blockCount(for: entries)
    return arrayBlocks + TreeSize.nodes(for: arrayBlocks, valueSize: BTreeNode.pointerSize)
  }

  /// Blocks of metadata whose arrays take `arrays`, with superblock and space map, on a device of
  /// `blockCount` blocks, which may be too few.
  package static func metadataBlocks(forArrays arrays: UInt64, on blockCount: UInt64) -> UInt64 {
    // The superblock, the space map's index and its tree of large counts; then the bitmaps.
    arrays + 3 + Bitmap.count(for: min(blockCount, MetadataBlock.maximumCount))
  }

  /// The same on a device of exactly that size.
  package static func metadataBlocks(forArrays arrays: UInt64) -> UInt64 {
    // The superblock, the space map's index and its tree of large counts; then the bitmaps, which
    // also cover themselves.
    let others = arrays + 3
    let perBitmap = UInt64(Bitmap.entryCount) - 1
    return others + others / perBitmap + (others % perBitmap == 0 ? 0 : 1)
  }
}
