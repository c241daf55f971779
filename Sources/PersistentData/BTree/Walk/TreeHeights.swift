/// Finds how high trees are, by going down their left edges, all roots together.
///
/// All leaves of a B-tree lie at the same depth, so one path is enough. Nothing is reported here:
/// the walk itself reads the same blocks again and reports what is wrong with them.
struct TreeHeights: Sendable {
  /// The most nodes to try below a root whose left edge is lost.
  private static let maxTries = 1 << 9

  private let file: BlockFile
  private let tree: Tree
  /// By block; the height of a root plus one, 0 while unknown. There may be a million roots, so
  /// hash tables are used only for damaged trees.
  private var known: BlockTable<UInt8>
  private var visited: Set<MetadataBlock> = []
  /// Whether some root leads to no readable leaf: its height is then only a lower bound.
  private(set) var hasGuesses = false

  /// Finds the heights of the trees that start at `roots`, on a device of `blockCount` blocks.
  init(
    _ roots: [MetadataBlock], in file: BlockFile, tree: Tree, blockCount: UInt64
  ) {
    self.file = file
    self.tree = tree
    known = BlockTable(count: blockCount)
    for root in descend(roots) {
      visited = []
      let found = search(root, depth: 0)
      let height = found?.height ?? 0
      if found?.isSure == false { hasGuesses = true }
      if height <= Tree.levelLimit { known[root.index] = UInt8(height) + 1 }
    }
  }

  /// The height of the tree that starts at `root`: 0 for a leaf, and for a block that isn't a node;
  /// `nil` for a tree that loops or is too deep.
  func height(of root: MetadataBlock) -> Int? {
    let height = known[root.index]
    return height == 0 ? nil : Int(height) - 1
  }

  /// Goes down first children, a level at a time for all roots; returns the roots whose left edge
  /// doesn't end in a leaf.
  private mutating func descend(_ roots: [MetadataBlock]) -> [MetadataBlock] {
    var lost: [MetadataBlock] = []
    var open = roots.map { (root: $0, at: $0) }
    var depth = 0
    while !open.isEmpty, depth <= Tree.levelLimit {
      open.sort { $0.at < $1.at }
      let blocks = TreeHeights.distinct(open.map(\.at))
      let nodes = read(blocks)
      var next: [(root: MetadataBlock, at: MetadataBlock)] = []
      var place = 0
      for (root, at) in open {
        if blocks[place] != at.number { place += 1 }
        switch nodes[place] {
        case .leaf: known[root.index] = UInt8(depth) + 1
        case .internal(let children): next.append((root, children[0]))
        case nil: lost.append(root)
        }
      }
      open = next
      depth += 1
    }
    return lost + open.map(\.root)
  }

  /// The numbers of `blocks`, ascending, each once.
  private static func distinct(_ blocks: [MetadataBlock]) -> [UInt32] {
    var numbers: [UInt32] = []
    for block in blocks where block.number != numbers.last { numbers.append(block.number) }
    return numbers
  }

  /// The height of the node in `block` by the first leaf that can be read, or, where none can, a
  /// lower bound; `nil` when it isn't a node.
  private mutating func search(
    _ block: MetadataBlock, depth: Int
  ) -> (height: Int, isSure: Bool)? {
    guard depth <= Tree.levelLimit, visited.count < TreeHeights.maxTries,
      visited.insert(block).inserted
    else { return nil }
    switch read([block.number])[0] {
    case nil: return nil
    case .leaf: return (0, true)
    case .internal(let children):
      var least = 1
      for child in children {
        guard let found = search(child, depth: depth + 1) else { continue }
        if found.isSure { return (found.height + 1, true) }
        least = max(least, found.height + 1)
      }
      return (least, false)
    }
  }

  /// The nodes in `blocks`, ascending; `nil` for a block that isn't a node.
  private func read(_ blocks: [UInt32]) -> [Probe.Node?] {
    let probes = BlockScan(file, blocks).run {
      Probe(
        blocks: blocks, blockCount: file.blockCount, reader: NodeReader(tree, file.treatment))
    }
    var nodes = [Probe.Node?](repeating: nil, count: blocks.count)
    for probe in probes {
      for (index, node) in probe.nodes { nodes[index] = node }
    }
    return nodes
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
  /// By index in `blocks`.
  var nodes: [(Int, Node)] = []

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
    if let found { nodes.append((index, found)) }
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {}
}
