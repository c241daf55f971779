/// Writes the internal nodes of trees that share many leaves, each distinct node once.
///
/// A hash of the children, not a fixed number, decides where nodes are cut: past the place where
/// two trees differ, the cuts fall on the same children again and the nodes come out equal. An
/// equal node is written once and referred to twice, as in the kernel's snapshots.
package struct SharedInternalNodes {
  private static let maximum = BTreeNode.maximumEntries(valueSize: BTreeNode.pointerSize)
  private static let minimum = BTreeNode.minimumEntries(valueSize: BTreeNode.pointerSize)
  /// On average, one child in this many ends a node that is large enough.
  private static let cutInterval: UInt64 = 64

  private let writer: BlockWriter
  /// Nodes written, by a hash of their entries.
  private var written: [UInt64: [WrittenNode]] = [:]

  package init(_ writer: BlockWriter) { self.writer = writer }

  /// Returns the root of a tree over `nodes`, which ascend and are not empty.
  package mutating func write(over nodes: [WrittenNode]) throws(IOError) -> MetadataBlock {
    var level = nodes
    while level.count > 1 {
      var next: [WrittenNode] = []
      var start = 0
      while start < level.count {
        let end = SharedInternalNodes.cut(level[start...])
        next.append(try node(over: level[start..<end]))
        start = end
      }
      level = next
    }
    return level[0].block
  }

  /// Where the node that begins with the first of `children` ends.
  private static func cut(_ children: ArraySlice<WrittenNode>) -> Int {
    // What is left for later nodes must be nothing or enough for one.
    if children.count <= maximum {
      guard children.count >= 2 * minimum else { return children.endIndex }
    }
    let last = min(children.startIndex + maximum, children.endIndex - minimum)
    for index in children.startIndex + minimum - 1..<last
    where mix(UInt64(children[index].block.number)) % cutInterval == 0 {
      return index + 1
    }
    return children.count <= maximum ? children.endIndex : last
  }

  private mutating func node(
    over children: ArraySlice<WrittenNode>
  ) throws(IOError) -> WrittenNode {
    var hash: UInt64 = 0
    for child in children {
      hash = SharedInternalNodes.mix(hash ^ UInt64(child.block.number))
      hash = SharedInternalNodes.mix(hash ^ child.firstKey)
    }
    for known in written[hash, default: []] where try isEqual(known, children) { return known }
    for child in children { writer.references.increment(UInt64(child.block.number)) }
    let keys = children.map(\.firstKey)
    let blocks = children.map { UInt64($0.block.number) }
    let node = try writer.appendNode(.internal, keys.span, blocks.span)
    written[hash, default: []].append(node)
    return node
  }

  /// Hashes can collide, so this compares with the node that was written.
  private func isEqual(
    _ known: WrittenNode, _ children: ArraySlice<WrittenNode>
  ) throws(IOError) -> Bool {
    guard known.entryCount == children.count else { return false }
    // Where blocks are only counted, nothing is written, so a wrong match does no harm.
    guard writer.holds(known.block) else { return true }
    return try writer.withBlock(known.block) { bytes in
      let node = BTreeNode(bytes)
      guard node.entryCount == children.count else { return false }
      return children.enumerated().allSatisfy {
        node.key($0.offset) == $0.element.firstKey
          && node.value($0.offset) == UInt64($0.element.block.number)
      }
    }
  }

  /// Spreads the bits of a number (the finaliser of splitmix64).
  private static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
