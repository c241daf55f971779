/// What a pack file holds, or was made of.
package struct PackContents: Sendable {
  /// Blocks of the device that was packed.
  package var blockCount: UInt64 = 0
  /// Blocks with the checksum of metadata.
  package var sound = BlockTally()
  /// Other blocks that aren't zeroes, whether they are in the file or not.
  package var damaged = BlockTally()
  /// Blocks that could not be read.
  package var unreadable = BlockTally()
  /// Whether block 0 is in the file.
  package var hasSuperblock = false
}

/// How many blocks there are of a kind, and some of them by number.
package struct BlockTally: Sendable {
  /// The most blocks to list by number.
  private static let namedCount = 8

  package private(set) var count: UInt64 = 0
  package private(set) var first: [UInt64] = []

  mutating func add(_ block: UInt64) {
    count += 1
    if first.count < BlockTally.namedCount { first.append(block) }
  }

  mutating func add(_ other: BlockTally) {
    count += other.count
    first += other.first.prefix(BlockTally.namedCount - first.count)
  }
}
