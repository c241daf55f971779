/// What the trees that lead to a node have in common: labels given to their roots, joined where
/// trees share a node.
///
/// Found from the internal nodes alone, each looked at once, however many trees there are.
package struct LeafLabels: Sendable {
  /// No labelled tree leads to the node.
  package static let none: UInt32 = 0
  /// Trees with different labels lead to it; for labels that are joined by `same`.
  package static let several = UInt32.max

  /// Keeps a label that is the same everywhere.
  package static func same(_ one: UInt32, _ other: UInt32) -> UInt32 {
    one == other ? one : several
  }

  private var labels: BlockTable<UInt32>

  /// `roots`: some roots of the walk, one perhaps several times, each with a label above 0.
  package init(
    _ walk: TreeWalk, _ roots: [(block: MetadataBlock, label: UInt32)], blockCount: UInt64,
    joining join: (UInt32, UInt32) -> UInt32
  ) {
    labels = BlockTable(count: blockCount)
    for root in roots { add(root.label, to: root.block.index, join) }
    // A node comes after all its parents.
    for node in walk.skeleton.nodes {
      let label = labels[node.block.index]
      if label == LeafLabels.none { continue }
      for child in walk.skeleton.children[node.entries] where child != 0 {
        add(label, to: Int(child), join)
      }
    }
  }

  private mutating func add(_ label: UInt32, to block: Int, _ join: (UInt32, UInt32) -> UInt32) {
    let known = labels[block]
    labels[block] = known == LeafLabels.none ? label : join(known, label)
  }

  package subscript(block: MetadataBlock) -> UInt32 { labels[block.index] }
}
