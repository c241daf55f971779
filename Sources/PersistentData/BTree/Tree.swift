/// What all nodes of one tree have in common: the tree's name and what its leaves store.
package struct Tree: Sendable {
  package let label: StructureLabel
  /// The tree's name in findings: "mapping tree".
  package var name: String { label.name }
  /// Bytes in a leaf's value.
  package let leafValueSize: Int
  /// Whether its nodes belong to devices; findings then name the device.
  package let hasOwners: Bool

  package init(_ label: StructureLabel, leafValueSize: Int, hasOwners: Bool = false) {
    self.label = label
    self.leafValueSize = leafValueSize
    self.hasOwners = hasOwners
  }

  /// More levels above the leaves than any tree that fits on the largest metadata device has.
  package static let levelLimit = 16

  /// A site in this tree.
  package func site(
    _ node: NodeReference, entry: Int? = nil, keys: ClosedRange<UInt64>? = nil
  ) -> Site {
    Site(
      label, device: hasOwners ? node.owner : nil, block: UInt64(node.block.number), entry: entry,
      keys: keys)
  }
}

/// Where a tree starts.
package struct TreeRoot: Hashable, Sendable {
  package let block: MetadataBlock
  /// The device whose tree it is; 0 where a tree has no owner.
  package let owner: UInt64
  package let reach: Reach

  package init(_ block: MetadataBlock, owner: UInt64 = 0, reach: Reach = .none) {
    self.block = block
    self.owner = owner
    self.reach = reach
  }
}

/// Which of the trees being compared lead to a node.
package struct Reach: Hashable, Sendable {
  /// The lowest number of these trees.
  package private(set) var lowest: UInt32
  /// How many there are, 2 meaning two or more.
  package private(set) var treeCount: UInt8

  /// A tree that isn't being compared.
  package static let none = Reach(lowest: .max, treeCount: 0)

  /// One tree, by its number.
  package static func tree(_ number: UInt32) -> Reach { Reach(lowest: number, treeCount: 1) }

  mutating func join(_ other: Reach) {
    treeCount = min(2, treeCount + other.treeCount)
    lowest = min(lowest, other.lowest)
  }
}

/// A node as its parents see it, before it is read.
package struct NodeReference: Sendable {
  package let block: MetadataBlock
  /// The keys that all parents allow, from `first` to `last`; none if `first` is above `last`.
  package private(set) var first: UInt64 = 0
  package private(set) var last = UInt64.max
  /// The lowest id among the devices that reach the node.
  package private(set) var owner = UInt64.max
  package private(set) var reach = Reach.none
  /// A root may have any number of entries.
  package private(set) var isRoot = false

  /// A node that no parent has been joined to yet.
  init(unknown block: MetadataBlock) { self.block = block }

  /// A node of which only its block is known.
  static func anywhere(_ block: MetadataBlock) -> NodeReference {
    var node = NodeReference(unknown: block)
    node.join(TreeRoot(block))
    return node
  }

  /// Notes that a tree starts at this node.
  mutating func join(_ root: TreeRoot) {
    isRoot = true
    owner = min(owner, root.owner)
    reach.join(root.reach)
  }

  /// Adds what one of the parents says.
  mutating func join(
    _ bounds: (first: UInt64, last: UInt64), _ owner: UInt64, _ reach: Reach
  ) {
    first = max(first, bounds.first)
    last = min(last, bounds.last)
    self.owner = min(self.owner, owner)
    self.reach.join(reach)
  }
}
