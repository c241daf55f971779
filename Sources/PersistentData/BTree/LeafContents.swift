/// Everything stored in the leaves of small trees of one kind, by leaf: trees that share leaves are
/// read whole, together, each leaf once.
package struct LeafContents<Value: Sendable>: Sendable {
  private let walk: TreeWalk
  private let roots: Set<MetadataBlock>
  /// Whether a root's pointer leads off the device, or a pointer leads to a sound block of another
  /// use.
  package let isLedAstray: Bool
  private let byLeaf: [MetadataBlock: [(UInt64, Value)]]

  /// `decode`: reads the value at an index of a leaf.
  package init(
    _ tree: Tree, roots: [UInt64], in file: BlockFile, usage: inout BlockUsage,
    findings: inout Findings, decode: @escaping @Sendable (BTreeNode, Int) -> Value
  ) {
    // The superblock and its copy each hold a reference to a root, even if it is the same one.
    var walk = TreeWalk(
      tree, rootPointers: roots.map { ($0, 0) }, in: file, usage: &usage, findings: &findings)
    let visitors = walk.readLeaves(findings: &findings) { Visitor(decode: decode) }
    let misplaced = walk.holes.keys.filter { LeafContents.isElsewhere($0, tree, file) }
    for block in misplaced { usage.release(block) }
    isLedAstray = !walk.hasAllRoots || !misplaced.isEmpty
    self.walk = walk
    self.roots = Set(walk.roots.map(\.block))
    byLeaf = visitors.reduce(into: [:]) { $0.merge($1.byLeaf) { first, _ in first } }
  }

  /// Whether a block that this tree can't use is a sound node of another tree, which may then use
  /// it.
  private static func isElsewhere(
    _ block: MetadataBlock, _ tree: Tree, _ file: BlockFile
  ) -> Bool {
    let isElsewhere = try? file.withBlock(block) { bytes in
      let node = BTreeNode(bytes)
      return BlockFault(bytes, as: .btreeNode, in: block) == nil && node.isSound(in: block)
        && node.valueSize != (node.kind == .leaf ? tree.leafValueSize : BTreeNode.pointerSize)
    }
    return isElsewhere ?? false
  }

  /// Nodes that already had another use when this tree was walked.
  package var crossLinked: Set<MetadataBlock> { walk.crossLinked }
  /// Whether an internal node has a pointer that leads nowhere.
  package var hasLostPointers: Bool { walk.skeleton.hasLostPointers }

  /// The leaves that could be read, with their entries.
  package var leaves: [MetadataBlock: [(UInt64, Value)]] { byLeaf }

  /// The internal nodes that lead to any of `blocks`.
  package func parents(of blocks: Set<MetadataBlock>) -> Set<MetadataBlock> {
    walk.parents(of: blocks)
  }

  /// Nodes that can't be used, by block.
  package var holes: [MetadataBlock: TreeWalk.Hole] { walk.holes }

  /// The entries of all leaves, each leaf once, in location order, and whether the leaf is one of
  /// the tree that starts at `root`.
  package func distinctEntries(
    telling root: UInt64
  ) -> [(key: UInt64, value: Value, isBelow: Bool)] {
    let own = leaves(below: root)
    return byLeaf.sorted { $0.key < $1.key }.flatMap { leaf, entries in
      let isBelow = own.contains(leaf)
      return entries.map { ($0.0, $0.1, isBelow) }
    }
  }

  /// The leaves of the tree that starts at `root`.
  package func leaves(below root: UInt64) -> Set<MetadataBlock> {
    var own: Set<MetadataBlock> = []
    if let block = rootBlock(root) {
      walk.forEachBottom(below: block) { if case .leaf(let leaf, _) = $0 { own.insert(leaf) } }
    }
    return own
  }

  private func rootBlock(_ root: UInt64) -> MetadataBlock? {
    MetadataBlock(pointer: root, count: UInt64.max).flatMap { roots.contains($0) ? $0 : nil }
  }

  /// The entries below `root` in key order, and the keys that damage hides.
  package func entries(
    below root: UInt64
  ) -> (entries: [(UInt64, Value)], lost: [ClosedRange<UInt64>]) {
    var entries: [(UInt64, Value)] = []
    var lost: [ClosedRange<UInt64>] = []
    guard let block = rootBlock(root) else { return ([], [0...UInt64.max]) }
    walk.forEachBottom(below: block) { bottom in
      switch bottom {
      case .leaf(let leaf, let keys):
        // A lookup can't find a key outside its parents' range.
        entries += byLeaf[leaf, default: []].filter { keys?.contains($0.0) == true }
      case .hole(_, let keys?): lost.append(keys)
      case .hole: break
      }
    }
    walk.forEachMisfit(below: block, entering: { _ in true }) { keys, misfit in
      lost += misfit.doubtful(in: keys)
    }
    return (entries, lost.joined)
  }

  private struct Visitor: LeafVisitor {
    let decode: @Sendable (BTreeNode, Int) -> Value
    var byLeaf: [MetadataBlock: [(UInt64, Value)]] = [:]

    mutating func visit(_ leaf: BTreeNode, _ reference: NodeReference) {
      var entries: [(UInt64, Value)] = []
      for index in 0..<leaf.entryCount { entries.append((leaf.key(index), decode(leaf, index))) }
      byLeaf[reference.block] = entries
    }
  }
}
