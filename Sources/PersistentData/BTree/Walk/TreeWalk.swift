/// Reads trees from their roots down to the leaves: all roots together, level by level, each block
/// once, in location order, on all cores.
///
/// Its cost grows with the number of nodes, not with the number of roots that share them. A damaged
/// node becomes a finding and a hole; the walk continues around it.
package struct TreeWalk: Sendable {
  package let tree: Tree
  package let roots: [TreeRoot]
  package private(set) var skeleton: TreeSkeleton
  private let heights: TreeHeights
  /// Nodes that can't be used.
  package private(set) var damaged: Set<MetadataBlock> = []
  /// A node that can't be used, as its parents see it.
  package struct Hole: Sendable {
    package let reference: NodeReference
    /// Levels above the leaves; `nil` if not known: for a root, and for all nodes if no leaf of
    /// some tree can be read.
    package let height: Int?
  }

  /// By block.
  package private(set) var holes: [MetadataBlock: Hole] = [:]
  /// By block.
  private(set) var misfits: [MetadataBlock: Misfit] = [:]
  /// Nodes that already had another use when this walk reached them.
  package private(set) var crossLinked: Set<MetadataBlock> = []
  private var leafFrontier: Frontier
  /// Whether every root's pointer leads onto the device.
  package private(set) var hasAllRoots = true

  private let file: BlockFile

  /// Reads the internal nodes of the trees that start at `roots`.
  ///
  /// References held by internal nodes are counted in `usage`; the caller counts those to the
  /// roots. `skippingShared`: internal nodes shared by several of the compared trees are not read,
  /// nor what only they lead to.
  package init(
    _ tree: Tree, roots: [TreeRoot], in file: BlockFile, usage: inout BlockUsage,
    findings: inout Findings, skippingShared: Bool = false
  ) {
    self.tree = tree
    self.roots = roots
    self.file = file
    skeleton = TreeSkeleton(blockCount: usage.blockCount)
    leafFrontier = Frontier(
      below: 1, of: TreeSkeleton(blockCount: 0), and: [], blockCount: 0)
    heights = TreeHeights(
      roots.map(\.block), in: file, tree: tree, blockCount: usage.blockCount)
    reportLoops(into: &findings)
    var level = roots.compactMap { heights.height(of: $0.block) }.max() ?? 0
    while level > 0 {
      var frontier = claimedFrontier(level, &usage, &findings)
      if skippingShared {
        frontier = frontier.filtered { frontier.references[$0].reach.treeCount < 2 }
      }
      let batches = readLevel(level, frontier, blockCount: usage.blockCount, &findings)
      for batch in batches { usage.references.increment(batch.children.lazy.filter { $0 != 0 }) }
      skeleton.append(batches, height: level)
      level -= 1
    }
    leafFrontier = claimedFrontier(0, &usage, &findings)
  }

  /// Reads trees whose roots are pointers not yet looked at; counts the references to them too.
  package init(
    _ tree: Tree, rootPointers: [(target: UInt64, owner: UInt64)], in file: BlockFile,
    usage: inout BlockUsage, findings: inout Findings
  ) {
    var roots: [TreeRoot] = []
    for (target, owner) in rootPointers {
      let block = usage.follow(
        target, from: Site(tree.label, device: tree.hasOwners ? owner : nil), &findings)
      if let block {
        roots.append(TreeRoot(block, owner: owner))
      }
    }
    self.init(tree, roots: roots, in: file, usage: &usage, findings: &findings)
    hasAllRoots = roots.count == rootPointers.count
  }

  /// Levels above the leaves of a tree of the walk, by its root; `nil` when it has no end.
  package func height(of root: MetadataBlock) -> Int? { heights.height(of: root) }

  /// Whether every node could be read, and lookups find every entry; valid once the leaves were
  /// read.
  package var isWhole: Bool {
    hasAllRoots && damaged.isEmpty && crossLinked.isEmpty && misfits.isEmpty
      && !skeleton.hasLostPointers
  }

  /// Frees the keys of internal nodes, most of a walk's memory. Leaves can still be read; nothing
  /// that depends on keys may be asked any more.
  package mutating func forgetKeys() { skeleton.forgetKeys() }

  /// How many leaves there are, each counted once.
  package var leafCount: Int { leafFrontier.references.count }

  /// Nodes with keys that their parents don't allow; valid once the leaves were read.
  package var misfitNodes: some Collection<MetadataBlock> { misfits.keys }

  /// The index of a leaf among the leaves; `nil` when `block` isn't a leaf of this walk.
  package func leafIndex(of block: MetadataBlock) -> Int? { leafFrontier.index(of: block) }

  /// What all parents of a leaf say about it.
  package func leaf(at index: Int) -> NodeReference { leafFrontier.references[index] }

  /// Reads every leaf, or those with a wanted reach, and hands the sound ones to visitors, one per
  /// worker, which it returns.
  package mutating func readLeaves<Visitor: LeafVisitor>(
    where isWanted: ((Reach) -> Bool)? = nil, findings: inout Findings,
    _ makeVisitor: @Sendable () -> Visitor
  ) -> [Visitor] {
    let frontier =
      isWanted.map { isWanted in
        leafFrontier.filtered { isWanted(leafFrontier.references[$0].reach) }
      } ?? leafFrontier
    let tree = tree
    let treatment = file.treatment
    file.progress.begin("reading the \(tree.name)", total: frontier.blocks.count)
    let readers = BlockScan(file, frontier.blocks).run {
      LeafReader(
        frontier: frontier, reader: NodeReader(tree, treatment), visitor: makeVisitor())
    }
    for reader in readers {
      findings.merge(reader.reader.findings)
      note(reader.reader, height: 0)
    }
    return readers.map(\.visitor)
  }

  private mutating func note(_ reader: NodeReader, height: Int) {
    misfits.merge(reader.misfits) { first, _ in first }
    for reference in reader.damaged {
      damaged.insert(reference.block)
      holes[reference.block] = Hole(
        reference: reference, height: reference.isRoot || heights.hasGuesses ? nil : height)
    }
  }

  private mutating func reportLoops(into findings: inout Findings) {
    for root in roots where heights.height(of: root.block) == nil {
      damaged.insert(root.block)
      findings.report(
        .treeTooDeep,
        at: Site(
          tree.label, device: tree.hasOwners ? root.owner : nil,
          block: UInt64(root.block.number)))
    }
  }

  /// The nodes at `level`, without those that already have another use.
  private mutating func claimedFrontier(
    _ level: Int, _ usage: inout BlockUsage, _ findings: inout Findings
  ) -> Frontier {
    let frontier = Frontier(
      below: level + 1, of: skeleton,
      and: roots.lazy.filter { [heights] in heights.height(of: $0.block) == level },
      blockCount: usage.blockCount)
    var dropped: Set<Int> = []
    for index in frontier.blocks.indices {
      let block = MetadataBlock(frontier.blocks[index])
      let site = tree.site(frontier.references[index])
      if usage.claim(block, for: tree.name, at: site, &findings) { continue }
      dropped.insert(index)
      crossLinked.insert(block)
    }
    return dropped.isEmpty ? frontier : frontier.filtered { !dropped.contains($0) }
  }

  /// The sound nodes of a level.
  private mutating func readLevel(
    _ level: Int, _ frontier: Frontier, blockCount: UInt64, _ findings: inout Findings
  ) -> [TreeSkeleton.Batch] {
    let tree = tree
    let treatment = file.treatment
    let readers = BlockScan(file, frontier.blocks).run {
      InternalReader(
        frontier: frontier, tree: tree, level: level, blockCount: blockCount,
        reader: NodeReader(tree, treatment))
    }
    for reader in readers {
      findings.merge(reader.reader.findings)
      note(reader.reader, height: level)
    }
    return readers.map(\.nodes)
  }
}

/// What is done with each sound leaf of a walk.
package protocol LeafVisitor: Sendable {
  mutating func visit(_ leaf: BTreeNode, _ reference: NodeReference)
}

private struct LeafReader<Visitor: LeafVisitor>: BlockVisitor {
  let frontier: Frontier
  var reader: NodeReader
  var visitor: Visitor

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    let reference = frontier.references[index]
    reader.read(bytes, as: reference, height: 0) { node, _ in visitor.visit(node, reference) }
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {
    reader.unreadable(frontier.references[index], error)
  }
}

private struct InternalReader: BlockVisitor {
  let frontier: Frontier
  let tree: Tree
  let level: Int
  let blockCount: UInt64
  var reader: NodeReader
  private(set) var nodes: TreeSkeleton.Batch

  init(frontier: Frontier, tree: Tree, level: Int, blockCount: UInt64, reader: NodeReader) {
    self.frontier = frontier
    self.tree = tree
    self.level = level
    self.blockCount = blockCount
    self.reader = reader
    nodes = TreeSkeleton.Batch(nodeCount: frontier.blocks.count)
  }

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    let reference = frontier.references[index]
    reader.read(bytes, as: reference, height: level) { node, findings in
      nodes.append(node, reference, in: tree, blockCount: blockCount, findings: &findings)
    }
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {
    reader.unreadable(frontier.references[index], error)
  }
}
