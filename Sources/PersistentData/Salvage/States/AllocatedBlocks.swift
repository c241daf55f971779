/// The blocks that metadata uses in the state after some commit, and a test for the next commit.
///
/// A commit takes the next free blocks after those of the commit before, wrapping at the end of the
/// device, and the index block of the metadata space map last of all.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-metadata.c, `sm_metadata_new_block`.
package struct AllocatedBlocks: Sendable {
  /// The lowest density of a transaction's blocks: a long one frees most of the blocks that it
  /// takes.
  private static let sparsest = 0.1
  /// The most blocks that can be allocated after the index block.
  private static let maxBehindIndex = 3

  private let bits: Bitset

  /// `counts`: those of all blocks of a device.
  package init(_ counts: [UInt8]) {
    var bits = Bitset(bitCount: counts.count)
    for (block, count) in counts.enumerated() where count > 0 { bits[UInt64(block)] = true }
    self.bits = bits
  }

  /// The number of blocks on the device.
  package var blockCount: UInt64 { bits.bitCount }

  /// Blocks beyond the device are not allocated.
  package func contains(_ block: MetadataBlock) -> Bool { bits[UInt64(block.number)] }

  /// Those not in `other`, ascending.
  package func subtracting(_ other: AllocatedBlocks) -> [MetadataBlock] {
    bits.without(other.bits).ranges.flatMap { range in
      range.map { MetadataBlock(UInt32($0)) }
    }
  }

  /// The first free block from `start` on.
  package func firstFree(from start: MetadataBlock) -> MetadataBlock? {
    (start.index..<max(start.index, Int(blockCount))).lazy.map(MetadataBlock.init(index:))
      .first { !contains($0) }
  }

  /// The first free block after the superblock.
  package var firstFree: MetadataBlock? { firstFree(from: .superblock.next) }

  /// The fraction of the free blocks in their span that `blocks`, ascending, are; 1 for no blocks.
  package func density(of blocks: [MetadataBlock]) -> Double {
    guard let first = blocks.first, let last = blocks.last else { return 1 }
    let free = (first.index...last.index).count { !contains(MetadataBlock(index: $0)) }
    return Double(blocks.count) / Double(max(1, free))
  }

  /// Whether `new`, ascending, are what the next commit would take after the one with its index
  /// block in `index`, if its own is `nextIndex`.
  package func canBeFollowed(
    by new: [MetadataBlock], after index: MetadataBlock, endingWith nextIndex: MetadataBlock
  ) -> Bool {
    let (ahead, behind) = (new.filter { $0 > index }, new.filter { $0 <= index })
    let inOrder = ahead + behind
    return inOrder.first != nil && inOrder.first == firstFree(from: index.next) ?? firstFree
      && AllocatedBlocks.canEnd(inOrder, with: nextIndex)
      && density(of: ahead) >= AllocatedBlocks.sparsest
      && density(of: behind) >= AllocatedBlocks.sparsest
  }

  /// Whether `index` can be the index block of a commit that took these blocks, in this order.
  package static func canEnd(_ blocks: [MetadataBlock], with index: MetadataBlock) -> Bool {
    blocks.suffix(maxBehindIndex + 1).contains(index)
  }
}
