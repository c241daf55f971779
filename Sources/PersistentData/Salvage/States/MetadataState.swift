/// The state of metadata after some commit, as far as the device still holds it: one index block of
/// the space map, the counts below it, and the references that these leave open.
///
/// The counts say how many references each block must have. References that no block accounts for
/// are the superblock's: the roots.
package struct MetadataState: Sendable {
  package let index: MetadataBlock
  /// Blocks with a count above 0.
  let allocated: AllocatedBlocks
  /// Blocks with more references counted than found, ascending, and how many more.
  package let openReferences: [(block: MetadataBlock, count: Int)]
  /// Whether every allocated block holds metadata.
  package let isWhole: Bool
  /// Blocks that its bitmaps count.
  package let countedBlocks: UInt64

  /// `nil` when a later state has overwritten part of this one: then some block has more references
  /// than its count. Damage only takes references away.
  package init?(_ census: StateCensus, index: MetadataBlock) {
    let stored = StateCounts(
      below: index, in: census.file, blockCount: census.blockCount, isBitmap: census.isBitmap)
    let (counts, bitmaps) = (stored.counts, stored.bitmaps)
    // The blocks of the map have one reference each.
    guard !bitmaps.isEmpty, counts[0] == 1, counts[index.index] == 1,
      bitmaps.allSatisfy({ counts[$0.index] == 1 })
    else { return nil }
    var open = counts.map(Int.init)
    // The superblock's own count, and its reference to the index.
    open[0] -= 1
    open[index.index] -= 1
    for bitmap in bitmaps { open[bitmap.index] -= 1 }
    var isWhole = true
    for block in counts.indices.dropFirst() where counts[block] > 0 {
      guard let references = census.references(of: MetadataBlock(index: block)) else {
        isWhole = false
        continue
      }
      for target in references {
        guard let target else { return nil }
        open[target.index] -= 1
      }
    }
    // A count of 3 may be any number above.
    for block in open.indices where open[block] < 0 && counts[block] < 3 { return nil }
    openReferences = open.enumerated().dropFirst().compactMap { block, count in
      let block = MetadataBlock(index: block)
      return count > 0 && census.references(of: block) != nil ? (block, count) : nil
    }
    self.index = index
    allocated = AllocatedBlocks(counts)
    self.isWhole = isWhole
    countedBlocks = min(UInt64(bitmaps.count * Bitmap.entryCount), census.blockCount)
  }
}

extension MetadataState {
  /// The only unreferenced root of a tree that looks like one of `looks`; `nil` if there is none,
  /// or more than one. `known`: roots that the superblock has for other trees.
  package func openRoot(
    like looks: Set<TreeLook>, butNot known: Set<UInt64>, in file: BlockFile
  ) -> UInt64? {
    let roots = openReferences.map(\.block).filter { block in
      !known.contains(UInt64(block.number))
        && TreeLook(below: block, in: file, blockCount: allocated.blockCount).map(looks.contains)
          ?? false
    }
    return roots.count == 1 ? UInt64(roots[0].number) : nil
  }
}

extension MetadataState {
  /// Whether `next` can have been committed after this one with nothing between.
  func canPrecede(_ next: MetadataState) -> Bool {
    allocated.canBeFollowed(
      by: next.allocated.subtracting(allocated), after: index, endingWith: next.index)
  }
}
