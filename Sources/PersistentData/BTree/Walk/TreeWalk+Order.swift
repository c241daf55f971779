extension TreeWalk {
  /// A leaf or a hole at the bottom of a tree.
  package enum Bottom: Sendable {
    /// `keys`: those for which the root leads to it, if any.
    case leaf(MetadataBlock, keys: ClosedRange<UInt64>?)
    /// Keys whose node can't be read.
    case hole(MetadataBlock?, keys: ClosedRange<UInt64>?)
  }

  /// Whether the walk found the node in `block` sound and not in use elsewhere.
  package func isUsable(_ block: MetadataBlock) -> Bool {
    !damaged.contains(block) && !crossLinked.contains(block)
  }

  /// Whether the leaves' order on the device differs so much from their order in the trees that
  /// reading them tree by tree means random reads.
  package var hasScatteredLeaves: Bool {
    var neighbours = 0
    var jumps = 0
    for node in skeleton.nodes.reversed().prefix(while: { $0.height == 1 }) {
      neighbours += node.entries.count - 1
      for entry in node.entries.dropLast() {
        let (block, next) = (skeleton.children[entry], skeleton.children[entry + 1])
        if next < block || next - block > BlockScan.widestGap { jumps += 1 }
      }
    }
    return jumps > neighbours / 4
  }

  /// The internal nodes of the tree that starts at `root`.
  package func internalNodes(below root: MetadataBlock) -> Set<MetadataBlock> {
    var found: Set<MetadataBlock> = []
    var open = [root]
    while let block = open.popLast() {
      guard let index = skeleton.index(of: block), found.insert(block).inserted else { continue }
      open += skeleton.nodes[index].entries.map { MetadataBlock(skeleton.children[$0]) }
    }
    return found
  }

  /// The internal nodes that lead to any of `blocks`; 0 stands for a pointer that leads nowhere.
  package func parents(of blocks: Set<MetadataBlock>) -> Set<MetadataBlock> {
    Set(
      skeleton.nodes.lazy.filter { node in
        skeleton.children[node.entries].contains { blocks.contains(MetadataBlock($0)) }
      }.map(\.block))
  }

  /// Goes through the leaves and holes below `root` in key order, without reading anything.
  ///
  /// Only branches that `entering` allows are visited, so that branches already seen, or of no
  /// interest, cost nothing.
  package func forEachBottom(
    below root: MetadataBlock, keys: ClosedRange<UInt64>? = 0...UInt64.max,
    entering: (MetadataBlock) -> Bool = { _ in true }, _ body: (Bottom) -> Void
  ) {
    guard isUsable(root) else { return body(.hole(root, keys: keys)) }
    guard let index = skeleton.index(of: root) else { return body(.leaf(root, keys: keys)) }
    let node = skeleton.nodes[index]
    for entry in node.entries {
      let own = skeleton.bounds(of: entry, in: node)
      let range = keys.flatMap { $0.clamped(from: own.first, to: own.last) }
      guard let child = MetadataBlock(pointer: UInt64(skeleton.children[entry]), count: .max)
      else {
        body(.hole(nil, keys: range))
        continue
      }
      if entering(child) {
        forEachBottom(below: child, keys: range, entering: entering, body)
      }
    }
  }
}
