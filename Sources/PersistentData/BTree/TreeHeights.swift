/// Finds how high trees are, by going down their left edges, all roots together.
///
/// All leaves of a B-tree lie at the same depth, so one path tells. Nothing is reported here: the
/// walk proper reads the same blocks again and says what is wrong with them.
struct TreeHeights {
  /// Deeper than any tree that fits on the largest metadata device.
  private static let deepest = 16

  private let file: BlockFile
  private let tree: Tree
  private var known: [MetadataBlock: Int] = [:]
  private var visited: Set<MetadataBlock> = []

  /// The height of each root: 0 for a leaf, and for a block that is no node at all. A tree that
  /// has no end is left out.
  static func measure(
    _ roots: [MetadataBlock], in file: BlockFile, tree: Tree
  ) -> [MetadataBlock: Int] {
    var heights = TreeHeights(file: file, tree: tree)
    let lost = heights.descend(Set(roots))
    for root in lost {
      heights.visited = []
      heights.known[root] = heights.search(root, depth: 0) ?? 0
    }
    return heights.known.filter { $0.value <= TreeHeights.deepest }
  }

  private init(file: BlockFile, tree: Tree) {
    self.file = file
    self.tree = tree
  }

  /// Goes down first children, a level for all roots at a time; returns the roots whose left edge
  /// ends in something that is no node.
  private mutating func descend(_ roots: Set<MetadataBlock>) -> [MetadataBlock] {
    var lost: [MetadataBlock] = []
    var open = roots.map { (root: $0, at: $0) }
    var depth = 0
    while !open.isEmpty, depth <= TreeHeights.deepest {
      let nodes = read(Set(open.map(\.at)))
      var next: [(root: MetadataBlock, at: MetadataBlock)] = []
      for (root, at) in open {
        switch nodes[at] {
        case .leaf: known[root] = depth
        case .internal(let children): next.append((root, children[0]))
        case nil: lost.append(root)
        }
      }
      open = next
      depth += 1
    }
    return lost + open.map(\.root)
  }

  /// The height of the node in `block` by whichever child can be read; `nil` when it is no node.
  private mutating func search(_ block: MetadataBlock, depth: Int) -> Int? {
    guard depth <= TreeHeights.deepest, visited.insert(block).inserted else { return nil }
    switch read([block])[block] {
    case nil: return nil
    case .leaf: return 0
    case .internal(let children):
      for child in children {
        if let height = search(child, depth: depth + 1) { return height + 1 }
      }
      return 1
    }
  }

  private func read(_ blocks: Set<MetadataBlock>) -> [MetadataBlock: Probe.Node] {
    let sorted = blocks.map(\.number).sorted()
    let probes = BlockScan(file, sorted).run {
      Probe(
        blocks: sorted, blockCount: file.blockCount, reader: NodeReader(tree, file.treatment))
    }
    return probes.reduce(into: [:]) { $0.merge($1.nodes) { first, _ in first } }
  }
}

private struct Probe: BlockVisitor {
  enum Node: Sendable {
    case leaf
    /// The children that lie on the device; never empty.
    case `internal`([MetadataBlock])
  }

  let blocks: [UInt32]
  let blockCount: UInt64
  var reader: NodeReader
  var nodes: [MetadataBlock: Node] = [:]

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    let block = MetadataBlock(blocks[index])
    var found: Node?
    reader.read(bytes, as: .anywhere(block), height: nil) { node, _ in
      if node.kind == .leaf {
        found = .leaf
        return
      }
      let children = (0..<node.entryCount).compactMap {
        MetadataBlock(pointer: node.value($0), count: blockCount)
      }
      if !children.isEmpty { found = .internal(children) }
    }
    nodes[block] = found
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {}
}
