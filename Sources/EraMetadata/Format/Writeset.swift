package import PersistentData

/// Which blocks were written in one era: a bitset with a bit for each block that the origin had
/// when the era began.
///
/// Source: Linux, drivers/md/dm-era-target.c, `struct writeset_disk`; packed, so the root is not
/// aligned.
package struct Writeset: Hashable, Sendable {
  package enum Layout {
    package static let bitCount = Field<UInt32>(at: 0)
    package static let root = Field<UInt64>(at: 4)  // the bitset; 0 stands for none
    package static let size = 12
  }

  package var bitCount: UInt32
  package var root: UInt64

  package init(bitCount: UInt32, root: UInt64) {
    self.bitCount = bitCount
    self.root = root
  }

  /// Decodes the writeset that starts `offset` bytes into `bytes`.
  package init(_ bytes: RawSpan, at offset: Int) {
    bitCount = bytes[Layout.bitCount.shifted(by: offset)]
    root = bytes[Layout.root.shifted(by: offset)]
  }

  /// Decodes an entry of the writeset tree.
  package init(_ leaf: BTreeNode, _ index: Int) {
    bitCount = leaf.value(index, Layout.bitCount)
    root = leaf.value(index, Layout.root)
  }
}

extension Writeset: NodeValue {
  package static var encodedSize: Int { Layout.size }

  package func encode(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes[Layout.bitCount.shifted(by: offset)] = bitCount
    bytes[Layout.root.shifted(by: offset)] = root
  }
}
