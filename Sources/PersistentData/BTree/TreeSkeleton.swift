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
    /// The keys that all parents allow, from `first` to `last`; none where these are the other way
    /// round.
    let first: UInt64
    package let last: UInt64
    /// Its entries: indices of `keys` and `children`.
    package let entries: Range<Int>
  }

  /// From the roots down: a node stands after all its parents.
  package private(set) var nodes: [Node] = []
  package private(set) var keys: [UInt64] = []
  /// Block numbers; 0 where the pointer led off the device, or covers no key that all parents of
  /// its node allow.
  package private(set) var children: [UInt32] = []
  /// Whether there are such pointers.
  package private(set) var hasLostPointers = false
  /// In `nodes`.
  private var places: BlockPlaces

  /// `blockCount`: blocks on the device.
  init(blockCount: UInt64) { places = BlockPlaces(blockCount: blockCount) }

  /// The index in `nodes` of the internal node that lives in `block`.
  package func index(of block: MetadataBlock) -> Int? { places[block.number] }

  /// The first and the last key that entry `entry` of `node` covers and that all parents of
  /// `node` allow. The last is below the first where there is none.
  func bounds(of entry: Int, in node: Node) -> (first: UInt64, last: UInt64) {
    let next = entry + 1
    let last = next < node.entries.upperBound ? min(node.last, keys[next] - 1) : node.last
    return (max(node.first, keys[entry]), last)
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
          reach: node.reference.reach, first: node.reference.first, last: node.reference.last,
          entries: start..<keys.count))
      places[node.reference.block.number] = nodes.count - 1
      if node.hasKeysOutOfRange { cutOutOfRange(nodes[nodes.count - 1]) }
    }
  }

  /// Leaves out the children that nobody who looks for a key comes to. Other parents may well lead
  /// to them: these would have to do without if this one had a say in what they allow.
  private mutating func cutOutOfRange(_ node: Node) {
    for entry in node.entries {
      let (first, last) = bounds(of: entry, in: node)
      guard first > last else { continue }
      children[entry] = 0
      hasLostPointers = true
    }
  }

  /// An internal node on its way into the skeleton.
  struct InternalNode: Sendable {
    let reference: NodeReference
    let height: Int
    let keys: [UInt64]
    let children: [UInt32]

    var hasKeysOutOfRange: Bool {
      guard let first = keys.first, let last = keys.last else { return false }
      return first < reference.first || last > reference.last
    }
  }
}
