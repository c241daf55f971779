internal import PersistentData

/// What lies below nodes that nothing leads to, as they stand on the device.
struct SubtreeExtents {
  /// A subtree that is sound throughout.
  struct Extent: Hashable, Sendable {
    /// The first and the last virtual block that it maps.
    let keys: ClosedRange<UInt64>
    /// Levels above the leaves.
    let height: Int
    let mappingCount: UInt64
  }

  private let census: BlockCensus
  private var known: [MetadataBlock: Extent?] = [:]

  init(_ census: BlockCensus) { self.census = census }

  /// `nil` when a part of the subtree is lost or contradicts another.
  mutating func extent(of block: MetadataBlock) -> Extent? { extent(of: block, Tree.levelLimit) }

  private mutating func extent(of block: MetadataBlock, _ levels: Int) -> Extent? {
    if let extent = known[block] { return extent }
    // Until this is worked out, a node that is its own descendant finds `nil` here.
    known[block] = .some(nil)
    let extent = levels > 0 ? work(out: block, levels) : nil
    known[block] = extent
    return extent
  }

  private mutating func work(out block: MetadataBlock, _ levels: Int) -> Extent? {
    guard let node = census.nodes[block], let keys = node.keys,
      node.valueSize == BTreeNode.pointerSize
    else { return nil }
    if node.isLeaf {
      return Extent(keys: keys, height: 0, mappingCount: UInt64(node.entryCount))
    }
    let children = census.children(of: block)
    guard children.count == node.entryCount else { return nil }
    var whole: Extent?
    for pointer in children {
      guard let child = extent(of: pointer, levels - 1) else { return nil }
      guard let before = whole else {
        whole = Extent(keys: child.keys, height: child.height + 1, mappingCount: child.mappingCount)
        continue
      }
      let (sum, isTooMany) = before.mappingCount.addingReportingOverflow(child.mappingCount)
      guard !isTooMany, child.height + 1 == before.height,
        child.keys.lowerBound > before.keys.upperBound
      else { return nil }
      whole = Extent(
        keys: before.keys.lowerBound...child.keys.upperBound, height: before.height,
        mappingCount: sum)
    }
    return whole
  }
}
