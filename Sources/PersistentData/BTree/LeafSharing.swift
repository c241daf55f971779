/// Which leaves several trees share, grouped into runs: leaves that follow each other in every tree
/// that reaches them.
///
/// Found from the internal nodes alone, each looked at once, however many trees there are.
package struct LeafSharing: Sendable {
  /// What a tree consists of, in key order.
  package enum Part: Hashable, Sendable {
    /// A leaf that only this tree has.
    case leaf(MetadataBlock)
    /// A run of shared leaves, by its first leaf.
    case run(MetadataBlock)
  }

  /// Stands for "more than one", and for "none".
  private static let broken = UInt32.max

  private let walk: TreeWalk
  /// By block; how many of the trees reach a leaf, 2 meaning two or more.
  private var leafPaths: BlockTable<UInt8>
  /// By block; the leaf that follows and precedes a leaf wherever it occurs, 0 while unknown.
  private var next: BlockTable<UInt32>
  private var previous: BlockTable<UInt32>
  /// By block; the first leaf of a shared leaf's run, 0 for a leaf that is not shared.
  private var runStart: BlockTable<UInt32>
  /// By index in the skeleton; the outermost leaves below a node, 0 where there is none.
  private var edges: [(first: UInt32, last: UInt32)]

  /// Looks at the trees that start at `roots`, some or all of the walk's; a root given twice is
  /// shared by two trees.
  package init(_ walk: TreeWalk, roots: [MetadataBlock], blockCount: UInt64) {
    self.walk = walk
    leafPaths = BlockTable(count: blockCount)
    next = BlockTable(count: blockCount)
    previous = BlockTable(count: blockCount)
    runStart = BlockTable(count: blockCount)
    edges = Array(repeating: (0, 0), count: walk.skeleton.nodes.count)
    findEdges()
    let nodePaths = countPaths(from: roots)
    linkNeighbours(nodePaths, roots)
    formRuns()
  }

  /// The parts of the tree at `root`. A branch inside one run is skipped whole; leaves that can't
  /// be read are left out.
  package func forEachPart(below root: MetadataBlock, _ body: (Part) -> Void) {
    var current: UInt32 = 0
    visit(root, &current, body)
  }

  /// The leaves of the run that starts with `first`.
  package func leaves(ofRun first: MetadataBlock) -> [MetadataBlock] {
    var leaves = [first]
    var leaf = Int(first.number)
    while isJoined(leaf) {
      leaf = Int(next[leaf])
      leaves.append(MetadataBlock(UInt32(leaf)))
    }
    return leaves
  }

  private func visit(_ block: MetadataBlock, _ current: inout UInt32, _ body: (Part) -> Void) {
    guard walk.isUsable(block) else {
      current = 0
      return
    }
    guard let index = walk.skeleton.index(of: block) else {
      enter(runStart[block.index], leaf: block, &current, body)
      return
    }
    let (first, last) = edges[index]
    let start = runStart[Int(first)]
    if first > 0, start > 0, start == runStart[Int(last)] {
      enter(start, leaf: block, &current, body)
      return
    }
    for entry in walk.skeleton.nodes[index].entries {
      let child = walk.skeleton.children[entry]
      if child > 0 { visit(MetadataBlock(child), &current, body) } else { current = 0 }
    }
  }

  private func enter(
    _ start: UInt32, leaf: MetadataBlock, _ current: inout UInt32, _ body: (Part) -> Void
  ) {
    if start == 0 {
      body(.leaf(leaf))
    } else if start != current {
      body(.run(MetadataBlock(start)))
    }
    current = start
  }

  private mutating func findEdges() {
    for index in walk.skeleton.nodes.indices.reversed() {
      let entries = walk.skeleton.nodes[index].entries
      guard let first = entries.first, let last = entries.last else { continue }
      edges[index] = (
        edge(walk.skeleton.children[first]).first, edge(walk.skeleton.children[last]).last
      )
    }
  }

  /// The outermost leaves below a node; for a leaf, the leaf itself.
  private func edge(_ block: UInt32) -> (first: UInt32, last: UInt32) {
    guard block > 0, walk.isUsable(MetadataBlock(block)) else { return (0, 0) }
    if let index = walk.skeleton.index(of: MetadataBlock(block)) { return edges[index] }
    return (block, block)
  }

  /// How many of the trees reach each node; parents come before children.
  private mutating func countPaths(from roots: [MetadataBlock]) -> [UInt8] {
    var nodePaths = [UInt8](repeating: 0, count: walk.skeleton.nodes.count)
    func add(_ block: UInt32, _ paths: UInt8) {
      if let index = walk.skeleton.index(of: MetadataBlock(block)) {
        nodePaths[index] = min(2, nodePaths[index] + paths)
      } else {
        leafPaths[Int(block)] = min(2, leafPaths[Int(block)] + paths)
      }
    }
    for root in roots { add(root.number, 1) }
    for (index, node) in walk.skeleton.nodes.enumerated() where nodePaths[index] > 0 {
      for entry in node.entries { add(walk.skeleton.children[entry], nodePaths[index]) }
    }
    return nodePaths
  }

  private mutating func linkNeighbours(_ nodePaths: [UInt8], _ roots: [MetadataBlock]) {
    for (index, node) in walk.skeleton.nodes.enumerated() where nodePaths[index] > 0 {
      for entry in node.entries.dropLast() {
        link(
          edge(walk.skeleton.children[entry]).last, edge(walk.skeleton.children[entry + 1]).first)
      }
    }
    for root in roots {
      let (first, last) = edge(root.number)
      link(0, first)
      link(last, 0)
    }
  }

  /// Notes that `right` follows `left`; 0 stands for the end of a tree, or a hole.
  private mutating func link(_ left: UInt32, _ right: UInt32) {
    if left > 0 {
      let known = next[Int(left)]
      next[Int(left)] = right > 0 && (known == 0 || known == right) ? right : LeafSharing.broken
    }
    if right > 0 {
      let known = previous[Int(right)]
      previous[Int(right)] = left > 0 && (known == 0 || known == left) ? left : LeafSharing.broken
    }
  }

  /// Whether a shared leaf and the one after it always come together.
  private func isJoined(_ leaf: Int) -> Bool {
    let follower = next[leaf]
    guard follower > 0, follower != LeafSharing.broken else { return false }
    return previous[Int(follower)] == UInt32(leaf) && leafPaths[leaf] > 1
      && leafPaths[Int(follower)] > 1
  }

  private mutating func formRuns() {
    for block in leafPaths.indices.dropFirst() where leafPaths[block] > 1 {
      let before = previous[block]
      if before > 0, before != LeafSharing.broken, isJoined(Int(before)) { continue }
      var leaf = block
      runStart[leaf] = UInt32(block)
      while isJoined(leaf) {
        leaf = Int(next[leaf])
        runStart[leaf] = UInt32(block)
      }
    }
  }
}
