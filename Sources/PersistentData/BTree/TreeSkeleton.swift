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
    let reach: Reach
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
  /// By block; the index in `nodes` plus one, 0 for a block that is no internal node.
  private var places: BlockTable<UInt32>

  /// `blockCount`: blocks on the device.
  init(blockCount: UInt64) { places = BlockTable(count: blockCount) }

  /// The index in `nodes` of the internal node that lives in `block`.
  package func index(of block: MetadataBlock) -> Int? {
    let place = places[block.index]
    return place == 0 ? nil : Int(place) - 1
  }

  /// The keys that entry `entry` of `node` covers.
  package func range(of entry: Int, in node: Node) -> ClosedRange<UInt64> {
    let next = entry + 1
    let last = next < node.entries.upperBound ? keys[next] - 1 : max(node.last, keys[entry])
    return keys[entry]...last
  }

  /// The nodes of `height`, when there is none lower.
  func nodes(ofLowest height: Int) -> ArraySlice<Node> {
    let higher = nodes.lastIndex { $0.height != height }
    return nodes[(higher.map { $0 + 1 } ?? 0)...]
  }

  /// Takes in the nodes of a level, in the order given.
  mutating func append(_ batch: [InternalNode]) {
    let entryCount = batch.reduce(keys.count) { $0 + $1.keys.count }
    keys.reserveCapacity(entryCount)
    children.reserveCapacity(entryCount)
    for node in batch {
      let start = keys.count
      keys += node.keys
      children += node.children
      if node.children.contains(0) { hasLostPointers = true }
      nodes.append(
        Node(
          block: node.reference.block, height: node.height, owner: node.reference.owner,
          reach: node.reference.reach, last: node.reference.last, entries: start..<keys.count))
      places[node.reference.block.index] = UInt32(nodes.count)
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
