/// How many blocks arrays take, their index trees included.
package enum ArraySize {
  /// The blocks of an array of `entries` entries that is written in one go.
  package static func blocks(_ shape: ArrayShape, _ entries: UInt64) -> UInt64 {
    let arrayBlocks = shape.blockCount(for: entries)
    let perNode = UInt64(BTreeNode.maximumEntries(valueSize: 8))
    var total = arrayBlocks
    var level = arrayBlocks
    repeat {
      level = max(1, level / perNode + (level % perNode == 0 ? 0 : 1))
      total += level
    } while level > 1
    return total
  }

  /// Blocks of metadata whose arrays take `arrays`: a superblock and a space map besides.
  package static func metadataBlocks(forArrays arrays: UInt64) -> UInt64 {
    // The superblock, the space map's index and its tree of large counts; then the bitmaps, which
    // count themselves.
    let others = arrays + 3
    let perBitmap = UInt64(Bitmap.entryCount) - 1
    return others + others / perBitmap + (others % perBitmap == 0 ? 0 : 1)
  }
}
