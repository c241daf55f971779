/// The internal nodes of one tree, or of many trees that share nodes, kept in core.
///
/// Some hundredth of a tree: with it, who reaches what, in which order, and over which keys is
/// known without reading a leaf. Each node stands here once, however many parents it has.
package struct TreeSkeleton: Sendable {
  package struct Node: Sendable {
    package let block: MetadataBlock
    /// Levels above the leaves; at least 1.
    package let height: Int
    /// The lowest id among the devices that reach the node.
    package let owner: UInt64
    /// The last key that all parents allow.
    package let last: UInt64
    /// Its entries: indices of `keys` and `children`.
    package let entries: Range<Int>
  }

  /// From the roots down: a node stands after all its parents.
  package private(set) var nodes: [Node] = []
  package private(set) var keys: [UInt64] = []
  /// Block numbers; 0 where the pointer led off the device.
  package private(set) var children: [UInt32] = []
  /// Whether a pointer led off the device.
  package private(set) var hasLostPointers = false
  private var nodeIndex: [MetadataBlock: Int] = [:]

  /// The index in `nodes` of the internal node that lives in `block`.
  package func index(of block: MetadataBlock) -> Int? { nodeIndex[block] }

  /// The index in `nodes` of the node that has `entry` among its entries.
  package func nodeIndex(ofEntry entry: Int) -> Int {
    var low = 0
    var high = nodes.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if nodes[middle].entries.lowerBound <= entry { low = middle } else { high = middle }
    }
    return low
  }

  /// The keys that entry `entry` of `node` covers.
  package func range(of entry: Int, in node: Node) -> ClosedRange<UInt64> {
    let next = entry + 1
    let last = next < node.entries.upperBound ? keys[next] - 1 : max(node.last, keys[entry])
    return keys[entry]...last
  }

  /// Takes in what a worker read, in the order given.
  mutating func append(_ batch: [InternalNode]) {
    for node in batch {
      let start = keys.count
      keys += node.keys
      children += node.children
      if node.children.contains(0) { hasLostPointers = true }
      nodeIndex[node.reference.block] = nodes.count
      nodes.append(
        Node(
          block: node.reference.block, height: node.height, owner: node.reference.owner,
          last: node.reference.last, entries: start..<keys.count))
    }
  }

  /// An internal node on its way into the skeleton.
  struct InternalNode: Sendable {
    let reference: NodeReference
    let height: Int
    let keys: [UInt64]
    let children: [UInt32]
  }
}
