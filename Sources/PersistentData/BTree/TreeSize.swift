/// How many blocks a tree takes when it is written in one go, so that its nodes are full.
package enum TreeSize {
  /// Only the leaves. `valueSize`: bytes in a value.
  package static func leaves(for entries: UInt64, valueSize: Int) -> UInt64 {
    let maximum = UInt64(BTreeNode.maximumEntries(valueSize: valueSize))
    return entries / maximum + (entries % maximum == 0 ? 0 : 1)
  }

  /// All nodes; an empty tree has a leaf as well.
  package static func nodes(for entries: UInt64, valueSize: Int) -> UInt64 {
    var level = max(1, leaves(for: entries, valueSize: valueSize))
    var sum = level
    while level > 1 {
      level = leaves(for: level, valueSize: BTreeNode.pointerSize)
      sum += level
    }
    return sum
  }
}
