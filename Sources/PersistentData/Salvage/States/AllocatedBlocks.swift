/// The blocks that metadata uses in a state that it was in after some commit, and which a later one
/// can have taken after them.
///
/// A commit takes the next free blocks after those of the commit before, round the end of the
/// device where need be, and the index block of the metadata space map last of all.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-metadata.c, `sm_metadata_new_block`.
package struct AllocatedBlocks: Sendable {
  /// As sparse as this a long transaction may be, which frees most of the blocks again that it
  /// takes.
  private static let sparsest = 0.1
  /// So many blocks can be allocated after the index block.
  private static let maxBehindIndex = 3

  private var bits: Bitset

  /// `counts`: of all blocks of a device.
  package init(_ counts: [UInt8]) {
    bits = Bitset(bitCount: counts.count)
    for (block, count) in counts.enumerated() where count > 0 { bits[UInt64(block)] = true }
  }

  /// As many blocks as the device has.
  package var blockCount: UInt64 { bits.bitCount }

  /// Any block may be asked for; those beyond the device are not allocated.
  package func contains(_ block: MetadataBlock) -> Bool { bits[UInt64(block.number)] }

  /// Those that `other` has not, ascending.
  package func subtracting(_ other: AllocatedBlocks) -> [MetadataBlock] {
    bits.without(other.bits).ranges.flatMap { range in
      range.map { MetadataBlock(UInt32($0)) }
    }
  }

  /// The first block from `start` on that is free.
  package func firstFree(from start: MetadataBlock) -> MetadataBlock? {
    (start.index..<max(start.index, Int(blockCount))).lazy.map(MetadataBlock.init(index:))
      .first { !contains($0) }
  }

  /// The first free block but for the superblock's.
  package var firstFree: MetadataBlock? { firstFree(from: .superblock.next) }

  /// Which part of the free blocks that they span some blocks are, ascending; of none, all.
  package func density(of blocks: [MetadataBlock]) -> Double {
    guard let first = blocks.first, let last = blocks.last else { return 1 }
    let free = (first.index...last.index).count { !contains(MetadataBlock(index: $0)) }
    return Double(blocks.count) / Double(max(1, free))
  }

  /// Whether `new`, ascending, are what the next commit would have taken after the one with its
  /// index block in `index`, its own being `nextIndex`.
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
