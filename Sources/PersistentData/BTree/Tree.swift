/// What is common to all nodes of one tree: how people call it and what its leaves store.
package struct Tree: Sendable {
  /// The tree's name in findings: "mapping tree".
  package let name: String
  /// Where it stands among the structures of a report.
  package let order: Int
  /// Bytes in a leaf's value.
  package let leafValueSize: Int
  /// Whether its nodes belong to devices, which findings then name.
  package let hasOwners: Bool

  package init(_ name: String, order: Int, leafValueSize: Int, hasOwners: Bool = false) {
    self.name = name
    self.order = order
    self.leafValueSize = leafValueSize
    self.hasOwners = hasOwners
  }

  /// A place in this tree.
  package func site(
    _ node: NodeReference, entry: Int? = nil, keys: ClosedRange<UInt64>? = nil
  ) -> Site {
    Site(
      name, order: order, device: hasOwners ? node.owner : nil,
      block: UInt64(node.block.number), entry: entry, keys: keys)
  }
}

/// Where a tree starts.
package struct TreeRoot: Hashable, Sendable {
  package let block: MetadataBlock
  /// The device whose tree it is; 0 where a tree has no owner.
  package let owner: UInt64

  package init(_ block: MetadataBlock, owner: UInt64 = 0) {
    self.block = block
    self.owner = owner
  }
}

/// A node as its parents see it, before it is read.
package struct NodeReference: Sendable {
  package let block: MetadataBlock
  /// The keys that all parents allow.
  package let first: UInt64
  package let last: UInt64
  /// The lowest id among the devices that reach the node.
  package let owner: UInt64
  /// A root may have any number of entries.
  package let isRoot: Bool

  /// A node of which nothing is known but where it lives.
  static func anywhere(_ block: MetadataBlock) -> NodeReference {
    NodeReference(block: block, first: 0, last: .max, owner: 0, isRoot: true)
  }
}
