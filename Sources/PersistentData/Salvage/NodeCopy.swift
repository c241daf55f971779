/// The entries of a node with values of eight bytes, to build a changed copy in memory.
package struct NodeCopy: Sendable {
  package let block: MetadataBlock
  package let kind: BTreeNode.Kind
  package var entries: [(key: UInt64, value: UInt64)]

  /// Reads a node that is sound in itself; `nil` for any other block. `capacity`: the number of key
  /// slots before the values, if the node's own max_entries isn't trusted.
  package init?(_ file: BlockFile, _ block: MetadataBlock, capacity: Int? = nil) {
    let read = try? file.withBlock(block) { bytes -> (BTreeNode.Kind, [(UInt64, UInt64)])? in
      let node = BTreeNode(bytes)
      guard BlockFault(bytes, as: .btreeNode, in: block) == nil, node.isSound(in: block),
        node.valueSize == BTreeNode.pointerSize, let kind = node.kind
      else { return nil }
      guard let capacity else {
        return (kind, (0..<node.entryCount).map { (node.key($0), node.value($0)) })
      }
      guard node.entryCount <= capacity,
        capacity <= BTreeNode.maximumEntries(valueSize: BTreeNode.pointerSize)
      else { return nil }
      let start = BTreeNode.Layout.size + 8 * capacity
      return (
        kind, (0..<node.entryCount).map { (node.key($0), bytes[Field(at: start + 8 * $0)]) }
      )
    }
    guard let (kind, entries) = read else { return nil }
    self.block = block
    self.kind = kind
    self.entries = entries.map { (key: $0.0, value: $0.1) }
  }

  /// The node as it would be on the device, sealed; `nil` if it has too many entries.
  package var contents: BlockBuffer? {
    guard entries.count <= BTreeNode.maximumEntries(valueSize: BTreeNode.pointerSize)
    else { return nil }
    return BTreeNode.make(
      kind, block, keys: entries.map(\.key), values: entries.map(\.value))
  }
}
