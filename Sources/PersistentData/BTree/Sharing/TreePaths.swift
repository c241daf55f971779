/// The paths from a leaf up to the roots of trees, found on demand: the cost grows with the
/// internal nodes, not with the leaves below them.
package struct TreePaths: Sendable {
  private static let nodeInterval = 64

  /// A leaf as a place in one tree.
  package struct Path: Sendable {
    package fileprivate(set) var leaf: UInt32
    /// The tree: an index in the list of roots.
    package fileprivate(set) var tree: UInt32 = 0
    /// Internal nodes on the path.
    fileprivate var levels = 0
    /// The entries that lead to the leaf, as indices in the skeleton, from the lowest node up.
    fileprivate var entries = InlineArray<16, UInt32>(repeating: 0)
  }

  private let walk: TreeWalk
  /// By block: the first entry that leads to a node, plus one.
  private var firstEntry: BlockTable<UInt32>
  /// By entry: another one that leads to the same node, plus one.
  private var nextEntry: [UInt32]
  /// The node that holds every 64th entry.
  private var someNodes: [UInt32] = []
  /// By block: the first tree with that root, plus one.
  private var firstTree: BlockTable<UInt32>
  /// By tree: another one with the same root, plus one.
  private var nextTree: [UInt32]

  /// `roots`: by tree; `nil` for a tree without a usable root.
  package init(_ walk: TreeWalk, roots: [MetadataBlock?], blockCount: UInt64) {
    self.walk = walk
    let entryCount = walk.skeleton.children.count
    firstEntry = BlockTable(count: blockCount)
    nextEntry = Array(repeating: 0, count: entryCount)
    for (index, node) in walk.skeleton.nodes.enumerated() {
      for entry in node.entries {
        if entry % TreePaths.nodeInterval == 0 { someNodes.append(UInt32(index)) }
        let child = Int(walk.skeleton.children[entry])
        if child == 0 { continue }
        nextEntry[entry] = firstEntry[child]
        firstEntry[child] = UInt32(entry + 1)
      }
    }
    firstTree = BlockTable(count: blockCount)
    nextTree = Array(repeating: 0, count: roots.count)
    for tree in roots.indices.reversed() {
      guard let root = roots[tree]?.index else { continue }
      nextTree[tree] = firstTree[root]
      firstTree[root] = UInt32(tree + 1)
    }
  }

  /// All paths to a leaf, sorted by tree.
  package func paths(to leaf: UInt32) -> [Path] {
    var found: [Path] = []
    climb(from: leaf, Path(leaf: leaf), &found)
    found.sort { $0.tree < $1.tree }
    return found
  }

  private func climb(from block: UInt32, _ path: Path, _ found: inout [Path]) {
    var path = path
    var tree = firstTree[Int(block)]
    while tree != 0 {
      path.tree = tree - 1
      found.append(path)
      tree = nextTree[Int(tree) - 1]
    }
    guard path.levels < Tree.levelLimit else { return }
    path.levels += 1
    var entry = firstEntry[Int(block)]
    while entry != 0 {
      path.entries[path.levels - 1] = entry - 1
      climb(from: walk.skeleton.nodes[node(of: Int(entry) - 1)].block.number, path, &found)
      entry = nextEntry[Int(entry) - 1]
    }
  }

  /// Goes on to the next leaf of the same tree, or, `backwards`, to the one before. Returns
  /// `false` at the end, and where there is a hole.
  package func step(_ path: inout Path, backwards: Bool = false) -> Bool {
    for level in 0..<path.levels {
      let entry = Int(path.entries[level])
      let entries = walk.skeleton.nodes[node(of: entry)].entries
      if entry == (backwards ? entries.lowerBound : entries.upperBound - 1) { continue }
      path.entries[level] = UInt32(backwards ? entry - 1 : entry + 1)
      return descend(&path, from: level, backwards)
    }
    return false
  }

  /// The node that holds an entry. Few nodes have fewer than 64 entries, so the search is short.
  private func node(of entry: Int) -> Int {
    var node = Int(someNodes[entry / TreePaths.nodeInterval])
    while walk.skeleton.nodes[node].entries.upperBound <= entry { node += 1 }
    return node
  }

  private func descend(_ path: inout Path, from level: Int, _ backwards: Bool) -> Bool {
    var level = level
    while true {
      let child = walk.skeleton.children[Int(path.entries[level])]
      if child == 0 { return false }
      guard let index = walk.skeleton.index(of: MetadataBlock(child)) else {
        path.leaf = child
        return level == 0
      }
      let entries = walk.skeleton.nodes[index].entries
      guard level > 0, let entry = backwards ? entries.last : entries.first else { return false }
      level -= 1
      path.entries[level] = UInt32(entry)
    }
  }
}
