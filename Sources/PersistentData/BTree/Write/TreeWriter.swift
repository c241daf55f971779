/// Writes a tree from its entries in ascending order, leaves first, each node once.
package struct TreeWriter<Value: NodeValue> {
  private let writer: BlockWriter
  private var leaves = NodeCutter<Value>(.leaf)

  package init(_ writer: BlockWriter) { self.writer = writer }

  package mutating func push(_ key: UInt64, _ value: Value) throws(IOError) {
    try leaves.push(key, value, to: writer)
  }

  /// Takes back all entries, to be written in another order; this tree can't be used afterwards,
  /// and the leaves written so far belong to no tree.
  ///
  /// `decode`: reads the value at an index of a leaf. Where leaves were only counted, as the device
  /// has no room for them, their entries are made up.
  package mutating func takeEntries(
    _ decode: (BTreeNode, Int) -> Value
  ) throws(IOError) -> [(key: UInt64, value: Value)] {
    var entries: [(key: UInt64, value: Value)] = []
    let (keys, values) = leaves.takeKept()
    for leaf in leaves.takeNodes() {
      try writer.withBlock(leaf.block) { bytes in
        let node = BTreeNode(bytes)
        for index in 0..<leaf.entryCount {
          let isHeld = index < node.entryCount
          let key = isHeld ? node.key(index) : leaf.firstKey &+ UInt64(index)
          entries.append((key, decode(node, isHeld ? index : 0)))
        }
      }
    }
    entries += zip(keys, values).map { ($0, $1) }
    return entries
  }

  /// Writes the rest and returns the root: an empty leaf when there were no entries.
  ///
  /// The caller counts the reference to the root.
  package mutating func finish() throws(IOError) -> MetadataBlock {
    try leaves.flush(to: writer)
    if leaves.nodes.isEmpty {
      return try writer.appendEmptyLeaf(of: Value.self)
    }
    return try InternalNodes.write(over: leaves.nodes, to: writer)
  }
}

/// Writes the internal nodes of a tree, level by level.
package enum InternalNodes {
  /// Returns the root of a tree over `nodes`, which ascend and are not empty. Counts a reference to
  /// each node that gets a parent.
  package static func write(
    over nodes: [WrittenNode], to writer: BlockWriter
  ) throws(IOError) -> MetadataBlock {
    var level = nodes
    while level.count > 1 {
      var cutter = NodeCutter<UInt64>(.internal)
      for node in level {
        writer.references.increment(UInt64(node.block.number))
        try cutter.push(node.firstKey, UInt64(node.block.number), to: writer)
      }
      try cutter.flush(to: writer)
      level = cutter.nodes
    }
    return level[0].block
  }
}
