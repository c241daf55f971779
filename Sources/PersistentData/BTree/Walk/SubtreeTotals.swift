/// How many entries lie below each internal node, and whether damage hides some: summed from the
/// leaves up, so that a tree shared by ten thousand devices is summed once.
package struct SubtreeTotals: Sendable {
  /// What lies below a node, or in a leaf.
  package struct Total: Hashable, Sendable {
    package var entryCount: UInt64 = 0
    /// Whether a node below can't be read.
    package var hasDamage = false
    /// Whether the node, or one below, has keys that its parents don't allow.
    package var hasMisfits = false
  }

  private var totals: [Total]
  private let walk: TreeWalk
  private let leafEntryCounts: BlockTable<UInt8>

  /// `leafEntryCounts`: by block; what the visitor of each sound leaf counted.
  package init(_ walk: TreeWalk, leafEntryCounts: BlockTable<UInt8>) {
    self.walk = walk
    self.leafEntryCounts = leafEntryCounts
    totals = Array(repeating: Total(), count: walk.skeleton.nodes.count)
    // A node comes after all its parents, so going backwards meets children first.
    for index in walk.skeleton.nodes.indices.reversed() {
      var sum = Total()
      for entry in walk.skeleton.nodes[index].entries {
        let child = self[below: MetadataBlock(walk.skeleton.children[entry])]
        // A damaged tree may count a shared branch many times over.
        sum.entryCount = sum.entryCount.addingReportingOverflow(child.entryCount).partialValue
        sum.hasDamage = sum.hasDamage || child.hasDamage
        sum.hasMisfits = sum.hasMisfits || child.hasMisfits
      }
      let block = walk.skeleton.nodes[index].block
      sum.hasMisfits = sum.hasMisfits || walk.misfits[block] != nil
      totals[index] = sum
    }
  }

  /// The totals of internal nodes, counting only entries below the nodes in `tops`.
  package func limited(to tops: Set<MetadataBlock>) -> SubtreeTotals {
    var part = self
    for index in walk.skeleton.nodes.indices.reversed() {
      let node = walk.skeleton.nodes[index]
      if tops.contains(node.block) { continue }
      part.totals[index] = Total()
      for entry in node.entries {
        guard let child = walk.skeleton.index(of: MetadataBlock(walk.skeleton.children[entry]))
        else { continue }
        let sum = part.totals[index].entryCount
        part.totals[index].entryCount =
          sum.addingReportingOverflow(part.totals[child].entryCount).partialValue
      }
    }
    return part
  }

  /// The total below the node or leaf in `block`; `nil`, or 0, stands for a pointer that leads
  /// nowhere.
  package subscript(below block: MetadataBlock?) -> Total {
    guard let block, block != .superblock, walk.isUsable(block) else {
      return Total(hasDamage: true)
    }
    if let index = walk.skeleton.index(of: block) { return totals[index] }
    return Total(
      entryCount: UInt64(leafEntryCounts[block.index]), hasMisfits: walk.misfits[block] != nil)
  }
}
