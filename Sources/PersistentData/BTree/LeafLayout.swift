/// Where the entries are in a leaf that is being changed.
package struct LeafLayout: Sendable {
  package let entryCount: Int
  private let valuesOffset: Int
  private let valueSize: Int

  package init(_ bytes: RawSpan) {
    entryCount = Int(bytes[BTreeNode.Layout.entryCount])
    valuesOffset = BTreeNode.Layout.size + 8 * Int(bytes[BTreeNode.Layout.maxEntries])
    valueSize = Int(bytes[BTreeNode.Layout.valueSize])
  }

  package func key(_ index: Int) -> Field<UInt64> {
    Field(at: BTreeNode.Layout.size + 8 * index)
  }

  package func value(_ index: Int) -> Field<UInt32> { Field(at: valueOffset(index)) }
  package func valueOffset(_ index: Int) -> Int { valuesOffset + valueSize * index }
}
