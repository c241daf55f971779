/// What unreferenced blocks hold, if it can be part of an array or of an array's index: used to
/// find the blocks of an array when its index is lost.
///
/// Nothing here is trusted beyond its own block. Memory is bounded by the size of the device.
package struct ArrayCensus: Sendable {
  /// A block of some array that the space map says is allocated.
  package struct Part: Hashable, Sendable {
    package let block: MetadataBlock
    package let valueSize: Int
    package let entryCount: Int
    /// A hash of the contents: the same for equal parts.
    package let contents: Int
  }

  /// A leaf that may be one of an array's index.
  package struct Leaf: Sendable {
    let block: MetadataBlock
    /// Those of its entries that may be block numbers.
    package let claims: [ArrayIndex.Claim]
    package let isInUse: Bool
  }

  /// Ascending by block.
  package private(set) var parts: [Part] = []
  /// Ascending by block.
  package private(set) var leaves: [Leaf] = []
  /// Unreferenced blocks in use that can't be told from garbage: each may have been a missing
  /// block.
  package private(set) var unknown: [MetadataBlock] = []
  /// Whether any block has fewer references than the space map counts; `nil` if some counts are
  /// missing.
  package private(set) var isUnreached: Bool?

  /// Reads all stored blocks, except those with as many references as the space map counts.
  package init(_ file: BlockFile, _ counts: StoredCounts, _ usage: BlockUsage) {
    let end = usage.blockCount
    let isWanted = { (block: UInt32) in
      counts[block].map { $0 == 0 || UInt64($0) > usage.references[UInt64(block)] }
        ?? (usage.references[UInt64(block)] == 0)
    }
    let stored = file.storedBlocks(in: 1..<max(1, end))
    let blocks = stored.flatMap { UInt32($0.lowerBound)..<UInt32($0.upperBound) }.filter(isWanted)
    file.progress.begin("looking at all blocks", total: blocks.count)
    let visitors = BlockScan(file, blocks).run { Visitor(blocks: blocks, counts: counts) }
    parts = visitors.flatMap(\.parts).sorted { $0.block < $1.block }
    unknown = visitors.flatMap(\.unknown).sorted()
    isUnreached = counts.isComplete ? visitors.contains(where: \.hasBlockInUse) : nil
    // A hole in a sparse file reads as zeroes; for a block in use, that is damage.
    var next: UInt64 = 1
    for range in stored + [end..<end] {
      for hole in next..<max(next, range.lowerBound)
      where counts[UInt32(hole)] ?? 0 > 0 && isWanted(UInt32(hole)) {
        unknown.append(MetadataBlock(UInt32(hole)))
      }
      next = range.upperBound
    }
    if !unknown.isEmpty, isUnreached != nil { isUnreached = true }
    leaves = visitors.flatMap(\.leaves).sorted { $0.block < $1.block }
  }

  private struct Visitor: BlockVisitor {
    let blocks: [UInt32]
    let counts: StoredCounts
    var parts: [Part] = []
    var leaves: [Leaf] = []
    var unknown: [MetadataBlock] = []
    var hasBlockInUse = false

    init(blocks: [UInt32], counts: StoredCounts) {
      self.blocks = blocks
      self.counts = counts
    }

    mutating func unreadable(_ index: Int, _ error: IOError) {
      if isInUse(index) {
        hasBlockInUse = true
        unknown.append(MetadataBlock(blocks[index]))
      }
    }

    mutating func visit(_ index: Int, _ bytes: RawSpan) {
      let block = MetadataBlock(blocks[index])
      if isInUse(index) { hasBlockInUse = true }
      switch BlockKind(of: bytes) {
      case .btreeNode:
        let node = BTreeNode(bytes)
        guard node.isSound(in: block) else { break }
        if node.kind == .leaf, node.valueSize == BTreeNode.pointerSize {
          addLeaf(node, in: block, isInUse: isInUse(index))
        }
        return
      case .array:
        // Array blocks no longer in use are old; their contents mean nothing now.
        guard isInUse(index) else { return }
        if let part = Part(bytes, in: block) {
          parts.append(part)
          return
        }
      case .some: return
      case nil: break
      }
      if isInUse(index) { unknown.append(block) }
    }

    private func isInUse(_ index: Int) -> Bool { counts[blocks[index]] ?? 0 > 0 }

    private mutating func addLeaf(_ leaf: BTreeNode, in block: MetadataBlock, isInUse: Bool) {
      let claims = (0..<leaf.entryCount).compactMap { entry -> ArrayIndex.Claim? in
        let claim = ArrayIndex.Claim(place: leaf.key(entry), block: leaf.value(entry))
        // Mappings and bitset words are mostly too large to be block numbers.
        return claim.block < MetadataBlock.maximumCount ? claim : nil
      }
      if !claims.isEmpty { leaves.append(Leaf(block: block, claims: claims, isInUse: isInUse)) }
    }
  }
}

extension ArrayCensus.Part {
  /// `nil` unless `bytes` are a sound array block, with values of four or eight bytes, that was
  /// written for `block`.
  fileprivate init?(_ bytes: RawSpan, in block: MetadataBlock) {
    let array = ArrayBlock(bytes)
    guard array.isSound(in: block) else { return nil }
    self.block = block
    valueSize = array.valueSize
    entryCount = array.entryCount
    var hasher = Hasher()
    hasher.combine(valueSize)
    hasher.combine(entryCount)
    for index in 0..<array.entryCount * array.valueSize / 4 {
      hasher.combine(array.value(index, as: UInt32.self))
    }
    contents = hasher.finalize()
  }
}
