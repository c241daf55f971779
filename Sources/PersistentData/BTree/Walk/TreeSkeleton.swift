/// The internal nodes of one tree, or of many trees that share nodes, kept in memory.
///
/// About a hundredth of a tree. It tells which root reaches which leaves, in which order and for
/// which keys, without reading a leaf. Each node is here once, however many parents it has.
package struct TreeSkeleton: Sendable {
  package struct Node: Sendable {
    package let block: MetadataBlock
    /// Levels above the leaves; at least 1.
    package let height: Int
    /// The lowest id among the devices that reach the node.
    package let owner: UInt64
    let reach: Reach
    /// The keys that all parents allow, from `first` to `last`; none if `first` is above `last`.
    package let first: UInt64
    package let last: UInt64
    /// Its entries: indices of `keys` and `children`.
    package let entries: Range<Int>
  }

  /// From the roots down: a node comes after all its parents.
  package private(set) var nodes: [Node] = []
  package private(set) var keys: [UInt64] = []
  /// Block numbers; 0 where the pointer leads off the device, or covers no key that all parents of
  /// its node allow.
  package private(set) var children: [UInt32] = []
  /// Whether there are such pointers.
  package private(set) var hasLostPointers = false
  /// Indices in `nodes`.
  private var places: BlockPlaces

  /// `blockCount`: blocks on the device.
  init(blockCount: UInt64) { places = BlockPlaces(blockCount: blockCount) }

  /// The index in `nodes` of the internal node that lives in `block`.
  package func index(of block: MetadataBlock) -> Int? { places[block.number] }

  /// The first and the last key that entry `entry` of `node` covers and that all parents of `node`
  /// allow. The last is below the first if there is no such key.
  func bounds(of entry: Int, in node: Node) -> (first: UInt64, last: UInt64) {
    let next = entry + 1
    let last = next < node.entries.upperBound ? min(node.last, keys[next] - 1) : node.last
    return (max(node.first, keys[entry]), last)
  }

  /// The nodes of `height`, which must be the lowest so far.
  func nodes(ofLowest height: Int) -> ArraySlice<Node> {
    let higher = nodes.lastIndex { $0.height != height }
    return nodes[(higher.map { $0 + 1 } ?? 0)...]
  }

  /// Adds the nodes of a level, sorted by location.
  mutating func append(_ batches: [Batch], height: Int) {
    let entryCount = batches.reduce(keys.count) { $0 + $1.keys.count }
    keys.reserveCapacity(entryCount)
    children.reserveCapacity(entryCount)
    let batched = batches.flatMap { batch in batch.nodes.map { ($0, batch) } }
    for (node, batch) in batched.sorted(by: { $0.0.reference.block < $1.0.reference.block }) {
      append(node.reference, height, batch.keys[node.entries], batch.children[node.entries])
    }
  }

  private mutating func append(
    _ reference: NodeReference, _ height: Int, _ ownKeys: ArraySlice<UInt64>,
    _ ownChildren: ArraySlice<UInt32>
  ) {
    let start = keys.count
    keys += ownKeys
    children += ownChildren
    if ownChildren.contains(0) { hasLostPointers = true }
    let node = Node(
      block: reference.block, height: height, owner: reference.owner, reach: reference.reach,
      first: reference.first, last: reference.last, entries: start..<keys.count)
    places[node.block.number] = nodes.count
    nodes.append(node)
    guard let first = ownKeys.first, let last = ownKeys.last else { return }
    if first < node.first || last > node.last { cutOutOfRange(node) }
  }

  /// Drops the children that no lookup through this node can reach. Other parents may lead to them,
  /// and must not lose them by this node's narrower bounds.
  private mutating func cutOutOfRange(_ node: Node) {
    for entry in node.entries {
      let (first, last) = bounds(of: entry, in: node)
      guard first > last else { continue }
      children[entry] = 0
      hasLostPointers = true
    }
  }

  /// Frees the keys, most of the memory used. Keys and bounds must not be asked for afterwards.
  mutating func forgetKeys() { keys = [] }

  /// Internal nodes of one level on their way into the skeleton.
  struct Batch: Sendable {
    /// The most entries to reserve room for at the start.
    private static let room = 1 << 20

    fileprivate private(set) var nodes: [(reference: NodeReference, entries: Range<Int>)] = []
    fileprivate private(set) var keys: [UInt64] = []
    /// As in the skeleton.
    private(set) var children: [UInt32] = []

    /// `nodeCount`: how many nodes there may be.
    init(nodeCount: Int) {
      // Growing would take three times the memory; memory that is never touched costs nothing.
      let entryCount = nodeCount * BTreeNode.capacity(valueSize: BTreeNode.pointerSize)
      keys.reserveCapacity(min(entryCount, Batch.room))
      children.reserveCapacity(min(entryCount, Batch.room))
    }

    /// Adds the entries of a sound node; a pointer that leads off the device, which has
    /// `blockCount` blocks, becomes 0, with a finding.
    mutating func append(
      _ node: BTreeNode, _ reference: NodeReference, in tree: Tree, blockCount: UInt64,
      findings: inout Findings
    ) {
      let start = keys.count
      for entry in 0..<node.entryCount {
        keys.append(node.key(entry))
        let child = findings.block(
          at: node.value(entry), of: blockCount, from: tree.site(reference, entry: entry))
        children.append(child?.number ?? 0)
      }
      nodes.append((reference, start..<keys.count))
    }
  }
}
