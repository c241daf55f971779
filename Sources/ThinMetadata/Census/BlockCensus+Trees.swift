internal import PersistentData

/// What sound blocks tell of each other, taken at their word.
extension BlockCensus {
  /// Whether a block holds anything that a pool's metadata can refer to.
  func isMetadata(_ block: UInt32) -> Bool {
    nodes[block] != nil || isBitmap(block) || superblocks[block] != nil
      || isIndexBlock(block)
  }

  /// The blocks that a block in use refers to. `isInUse`: whether a block is allocated.
  func references(of block: UInt32, isInUse: (UInt32) -> Bool) -> [UInt32] {
    if let copy = superblocks[block] {
      return [copy.mappingRoot, copy.detailsRoot].compactMap {
        MetadataBlock(pointer: $0, count: blockCount)?.number
      }
    }
    let children = children(of: block)
    guard let node = nodes[block], node.isLeafOfNumbers else { return children }
    return isTopLevel(block) && children.allSatisfy(isInUse) ? children : []
  }

  /// Whether the leaves below a node point to trees: those of the devices. A single tree may be
  /// `lost`.
  ///
  /// A mapping's value can be the number of a metadata block only where the data block is block 0,
  /// which a leaf has once at most.
  func isTopLevel(_ block: UInt32, exceptFor lost: Set<UInt32> = []) -> Bool {
    guard let leaf = leftmostLeaf(below: block)?.leaf else { return false }
    let children = children(of: leaf.block)
    guard leaf.valueSize == BTreeNode.pointerSize, let first = children.first
    else { return false }
    return children.count > 1 || lost.contains(first)
      || nodes[first]?.valueSize == BTreeNode.pointerSize
  }

  /// Levels above the leaves; `nil` when that can't be told.
  func height(_ block: UInt32) -> Int? { leftmostLeaf(below: block)?.height }

  /// The size of the values in the leaves below a node; `nil` when that can't be told.
  func leafValueSize(_ block: UInt32) -> Int? { leftmostLeaf(below: block)?.leaf.valueSize }

  private func leftmostLeaf(below block: UInt32) -> (leaf: NodeTable.Node, height: Int)? {
    var block = block
    for height in 0..<16 {
      guard let node = nodes[block] else { return nil }
      if node.isLeaf { return (node, height) }
      guard let first = children(of: block).first else { return nil }
      block = first
    }
    return nil
  }
}
