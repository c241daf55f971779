internal import PersistentData

/// What sound blocks say about each other, taken at face value.
extension BlockCensus {
  /// Whether a block holds anything that a pool's metadata can refer to.
  func isMetadata(_ block: MetadataBlock) -> Bool {
    nodes[block] != nil || isBitmap(block) || superblocks[block] != nil
      || isIndexBlock(block)
  }

  /// The blocks that a block in use refers to. `isInUse`: whether a block is allocated.
  func references(of block: MetadataBlock, isInUse: (MetadataBlock) -> Bool) -> [MetadataBlock] {
    if let copy = superblocks[block] {
      return [copy.mappingRoot, copy.detailsRoot].compactMap {
        MetadataBlock(pointer: $0, count: blockCount)
      }
    }
    let children = children(of: block)
    guard let node = nodes[block], node.isLeafOfNumbers else { return children }
    return isTopLevel(block) && children.allSatisfy(isInUse) ? children : []
  }

  /// Whether the leaves below a node point to the trees of devices. A tree in `lost` need not be
  /// readable.
  ///
  /// A mapping's value can pass for a metadata block only if it maps data block 0, which a leaf
  /// does at most once.
  func isTopLevel(_ block: MetadataBlock, exceptFor lost: Set<MetadataBlock> = []) -> Bool {
    guard let leaf = firstLeaf(below: block)?.leaf else { return false }
    let children = children(of: leaf.block)
    guard leaf.valueSize == BTreeNode.pointerSize, let first = children.first
    else { return false }
    return children.count > 1 || lost.contains(first)
      || nodes[first]?.valueSize == BTreeNode.pointerSize
  }

  /// Levels above the leaves; `nil` when that can't be told.
  func height(_ block: MetadataBlock) -> Int? { firstLeaf(below: block)?.height }

  /// The size of the values in the leaves below a node; `nil` when that can't be told.
  func leafValueSize(_ block: MetadataBlock) -> Int? { firstLeaf(below: block)?.leaf.valueSize }

  /// The first sound leaf below a node, and how many levels below.
  private func firstLeaf(below block: MetadataBlock) -> (leaf: NodeTable.Node, height: Int)? {
    guard let node = nodes[block] else { return nil }
    if node.isLeaf { return (node, 0) }
    guard let place = firstLeaves[block], let leaf = nodes[place.leaf] else { return nil }
    return (leaf, place.height)
  }

  /// Where the first sound leaf below each internal node is; each node is looked at once.
  static func firstLeaves(
    _ nodes: NodeTable, _ children: (MetadataBlock) -> [MetadataBlock]
  ) -> [MetadataBlock: (leaf: MetadataBlock, height: Int)] {
    var found: [MetadataBlock: (leaf: MetadataBlock, height: Int)] = [:]
    var seen: Set<MetadataBlock> = []
    func find(_ block: MetadataBlock, levels: Int) -> (leaf: MetadataBlock, height: Int)? {
      guard let node = nodes[block] else { return nil }
      if node.isLeaf { return (block, 0) }
      // A node that was seen before without a leaf has none, or starts a loop.
      guard levels > 0, seen.insert(block).inserted else { return found[block] }
      for child in children(block) {
        if let place = find(child, levels: levels - 1) {
          found[block] = (place.leaf, place.height + 1)
          break
        }
      }
      return found[block]
    }
    for node in nodes.all where !node.isLeaf { _ = find(node.block, levels: Tree.levelLimit) }
    return found
  }
}
