/// A node that has been written, with what its parent will store.
package struct WrittenNode: Hashable, Sendable {
  package let block: MetadataBlock
  /// 0 for an empty root.
  package let firstKey: UInt64
  package let entryCount: Int
}

extension BlockWriter {
  /// Appends a node with these entries; keys ascend.
  package func appendNode<Value: NodeValue>(
    _ kind: BTreeNode.Kind, _ keys: Span<UInt64>, _ values: Span<Value>
  ) throws(IOError) -> WrittenNode {
    let block = try append(.btreeNode) { block, bytes in
      BTreeNode.encode(kind, block, keys, values, into: &bytes)
    }
    return WrittenNode(
      block: block, firstKey: keys.isEmpty ? 0 : keys[0], entryCount: keys.count)
  }

  /// Appends the root of an empty tree for values of a type.
  package func appendEmptyLeaf<Value: NodeValue>(of: Value.Type) throws(IOError) -> MetadataBlock {
    let keys: [UInt64] = []
    let values: [Value] = []
    return try appendNode(.leaf, keys.span, values.span).block
  }
}

extension BTreeNode {
  /// Fills zeroed bytes with a node that lives in `block`; keys ascend.
  static func encode<Value: NodeValue>(
    _ kind: Kind, _ block: MetadataBlock, _ keys: Span<UInt64>, _ values: Span<Value>,
    into bytes: inout MutableRawSpan
  ) {
    let maximum = maximumEntries(valueSize: Value.encodedSize)
    bytes[Layout.flags] = kind.rawValue
    bytes[Layout.block] = UInt64(block.number)
    bytes[Layout.entryCount] = UInt32(keys.count)
    bytes[Layout.maxEntries] = UInt32(maximum)
    bytes[Layout.valueSize] = UInt32(Value.encodedSize)
    UInt64.encode(keys, into: &bytes, at: Layout.size)
    Value.encode(values, into: &bytes, at: Layout.size + 8 * maximum)
  }

  /// A sealed node in memory, as it would be in `block`; keys ascend.
  package static func make(
    _ kind: Kind, _ block: MetadataBlock, keys: [UInt64], values: [UInt64]
  ) -> BlockBuffer {
    let buffer = BlockBuffer(zeroedBlocks: 1)
    buffer.edit(0) { bytes in
      encode(kind, block, keys.span, values.span, into: &bytes)
      BlockKind.btreeNode.seal(&bytes)
    }
    return buffer
  }
}
