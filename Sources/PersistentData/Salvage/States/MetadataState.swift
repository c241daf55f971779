/// A state that metadata was in after some commit, as far as the device still holds it: one index
/// block of the space map, the counts below it, and the references that these leave open.
///
/// The counts say how many references each block must have. Those that no block accounts for are
/// the superblock's: the roots.
package struct MetadataState: Sendable {
  package let index: UInt32
  /// Blocks with a count above 0.
  let allocated: Bitset
  /// Blocks with more references counted than found, ascending, and how many more.
  package let openReferences: [(block: MetadataBlock, count: Int)]
  /// Whether every allocated block holds metadata.
  package let isWhole: Bool
  /// Blocks that its bitmaps count.
  package let countedBlocks: UInt64

  /// `nil` when something of this state has been overwritten by a later one: then blocks refer to
  /// others that are counted less often than that. Damage only takes references away.
  package init?(_ census: StateCensus, index: UInt32) {
    let stored = StateCounts(
      below: MetadataBlock(index), in: census.file, blockCount: census.blockCount
    ) { census.isBitmap($0.number) }
    let (counts, bitmaps) = (stored.counts, stored.bitmaps)
    // The blocks of the map are its own, and no other state's.
    guard !bitmaps.isEmpty, counts[0] == 1, counts[Int(index)] == 1,
      bitmaps.allSatisfy({ counts[$0.index] == 1 })
    else { return nil }
    var open = counts.map(Int.init)
    // The superblock refers to the index, and stands for itself.
    open[0] -= 1
    open[Int(index)] -= 1
    for bitmap in bitmaps { open[bitmap.index] -= 1 }
    var isWhole = true
    var allocated = Bitset(bitCount: counts.count)
    for block in counts.indices where counts[block] > 0 {
      allocated[UInt64(block)] = true
      if block == 0 { continue }
      guard let references = census.references(of: UInt32(block)) else {
        isWhole = false
        continue
      }
      for target in references {
        guard target > 0, Int(target) < open.count else { return nil }
        open[Int(target)] -= 1
      }
    }
    // A count of 3 may be any number above.
    for block in open.indices where open[block] < 0 && counts[block] < 3 { return nil }
    openReferences = open.enumerated().dropFirst().compactMap { block, count in
      let isKnown = census.references(of: UInt32(block)) != nil
      return count > 0 && isKnown ? (MetadataBlock(UInt32(block)), count) : nil
    }
    self.index = index
    self.allocated = allocated
    self.isWhole = isWhole
    countedBlocks = min(UInt64(bitmaps.count * Bitmap.entryCount), census.blockCount)
  }
}

extension MetadataState {
  /// The one root of a tree like this that nothing else leads to; `nil` where there is none, or
  /// more than one. `known`: roots that the superblock has for other trees.
  package func openRoot(
    like looks: Set<TreeLook>, butNot known: Set<UInt64>, in file: BlockFile
  ) -> UInt64? {
    let roots = openReferences.map(\.block).filter { block in
      !known.contains(UInt64(block.number))
        && TreeLook(below: block, in: file, blockCount: allocated.bitCount).map(looks.contains)
          ?? false
    }
    return roots.count == 1 ? UInt64(roots[0].number) : nil
  }
}

extension MetadataState {
  /// As sparse as this a long transaction may be, which frees most of the blocks again that it
  /// takes.
  private static let sparsest = 0.1

  /// Whether `next` can have been committed after this one with nothing between: a commit takes the
  /// next free blocks after those of the commit before, round the end of the device where need be,
  /// and the index block last of all.
  ///
  /// Source: Linux, drivers/md/persistent-data/dm-space-map-metadata.c, `sm_metadata_new_block`.
  func canPrecede(_ next: MetadataState) -> Bool {
    let new = next.allocated.without(allocated)
    var (ahead, behind): ([UInt64], [UInt64]) = ([], [])
    new.forEachRange { range in
      for block in range {
        if block > UInt64(index) { ahead.append(block) } else { behind.append(block) }
      }
    }
    let inOrder = ahead + behind
    guard let first = inOrder.first,
      first == firstFree(from: UInt64(index) + 1) ?? firstFree(from: 1)
    else { return false }
    // Little can be allocated after the index block.
    return inOrder.suffix(4).contains(UInt64(next.index)) && isDense(ahead) && isDense(behind)
  }

  private func firstFree(from start: UInt64) -> UInt64? {
    (start..<max(start, allocated.bitCount)).first { !allocated[$0] }
  }

  /// Whether enough of the free blocks spanned was taken.
  private func isDense(_ blocks: [UInt64]) -> Bool {
    guard let first = blocks.first, let last = blocks.last else { return true }
    let free = (first...last).count { !allocated[$0] }
    return Double(blocks.count) >= MetadataState.sparsest * Double(free)
  }
}
