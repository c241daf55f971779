/// The highest key in each leaf and, derived from these, below each node.
package struct HighestKeys: Sendable {
  /// By block; `hasKeys`: whether a leaf has any key.
  private var leafKeys: BlockTable<UInt64>
  private var hasKeys: BlockTable<UInt8>
  /// By index in the skeleton.
  private var nodeKeys: [UInt64?] = []

  package init(blockCount: UInt64) {
    leafKeys = BlockTable(count: blockCount)
    hasKeys = BlockTable(count: blockCount)
  }

  /// Notes the highest key of a leaf that isn't empty.
  package mutating func set(_ leaf: MetadataBlock, _ key: UInt64) {
    leafKeys[leaf.index] = key
    hasKeys[leaf.index] = 1
  }

  /// Finds the highest keys below the nodes of a walk; to be called once, after all leaves.
  package mutating func sum(_ walk: TreeWalk) {
    nodeKeys = Array(repeating: nil, count: walk.skeleton.nodes.count)
    // Backwards, so that children come first. Keys go up, and few leaves are empty.
    for index in walk.skeleton.nodes.indices.reversed() {
      for child in walk.skeleton.children[walk.skeleton.nodes[index].entries].reversed() {
        nodeKeys[index] = key(below: child, walk)
        if nodeKeys[index] != nil { break }
      }
    }
  }

  /// The highest key below the node or leaf in `block`; 0 stands for a pointer that leads nowhere.
  package func key(below block: UInt32, _ walk: TreeWalk) -> UInt64? {
    if block == 0 { return nil }
    if let index = walk.skeleton.index(of: MetadataBlock(block)) { return nodeKeys[index] }
    return hasKeys[Int(block)] == 0 ? nil : leafKeys[Int(block)]
  }
}
