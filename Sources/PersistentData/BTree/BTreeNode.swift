/// One block of a B-tree: a header, then the keys, then the values.
///
/// A view over bytes already read. It owns nothing and trusts nothing: `check` must return `true`
/// before a key or a value is read.
///
/// Source: Linux, drivers/md/persistent-data/dm-btree-internal.h, `struct node_header`.
@usableFromInline
package struct BTreeNode: ~Escapable {
  package enum Kind: UInt32, Sendable {
    case `internal` = 1
    case leaf = 2
  }

  @usableFromInline package enum Layout {
    package static let checksum = Field<UInt32>(at: 0)  // CRC-32C of bytes 4..<4096, node salt
    package static let flags = Field<UInt32>(at: 4)  // a Kind
    package static let block = Field<UInt64>(at: 8)  // metadata block this node lives in
    package static let entryCount = Field<UInt32>(at: 16)  // entries in use
    package static let maxEntries = Field<UInt32>(at: 20)  // length of both arrays
    package static let valueSize = Field<UInt32>(at: 24)  // bytes; 8 in internal nodes
    package static let padding = Field<UInt32>(at: 28)
    // Computed, so that reading an entry from another module costs no call.
    @inlinable package static var size: Int { 32 }  // bytes; the keys start here
  }

  /// Bytes in a value of an internal node: the number of a block.
  package static let pointerSize = 8

  @usableFromInline let bytes: RawSpan
  /// Entries in use; not to be trusted before `check`.
  @usableFromInline package let entryCount: Int
  @usableFromInline let valuesOffset: Int
  @usableFromInline package let valueSize: Int

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan) {
    self.bytes = bytes
    entryCount = Int(bytes[Layout.entryCount])
    valueSize = Int(bytes[Layout.valueSize])
    valuesOffset = Layout.size + 8 * Int(bytes[Layout.maxEntries])
  }

  package var kind: Kind? { Kind(rawValue: bytes[Layout.flags]) }
  package var block: UInt64 { bytes[Layout.block] }
  package var maxEntries: Int { Int(bytes[Layout.maxEntries]) }

  @inlinable package func key(_ index: Int) -> UInt64 {
    bytes[Field(at: Layout.size + 8 * index)]
  }

  /// All keys in use, as they stand on disk: little-endian.
  package var keySpan: Span<UInt64> {
    @_lifetime(copy self) get { words(at: Layout.size) }
  }

  /// All values in use, eight bytes each, as they stand on disk: little-endian.
  package var valueSpan: Span<UInt64> {
    @_lifetime(copy self) get { words(at: valuesOffset) }
  }

  /// Going through a span costs one bounds check, not one per entry.
  @_lifetime(copy self) private func words(at offset: Int) -> Span<UInt64> {
    // Any bit pattern is a valid integer; blocks are aligned, and so is every array in them.
    Span(_bytes: bytes.extracting(offset..<offset + 8 * entryCount))
  }

  /// The first and the last key; `nil` when there are no entries.
  package var keys: ClosedRange<UInt64>? {
    entryCount == 0 ? nil : key(0)...key(entryCount - 1)
  }

  /// The value of an entry, in a node with values of eight bytes.
  @inlinable package func value(_ index: Int) -> UInt64 {
    bytes[Field(at: valuesOffset + 8 * index)]
  }

  /// A field of a longer value.
  @inlinable package func value<Value>(_ index: Int, _ field: Field<Value>) -> Value {
    bytes[field.shifted(by: valuesOffset + valueSize * index)]
  }

  /// The length of both arrays in every node that kernels and tools write: as many entries as
  /// fit, rounded down to a multiple of three. 252 with values of eight bytes.
  ///
  /// Source: Linux, drivers/md/persistent-data/dm-btree.c, `calc_max_entries`.
  package static func maximumEntries(valueSize: Int) -> Int {
    let capacity = capacity(valueSize: valueSize)
    return capacity - capacity % 3
  }

  /// As many entries as fit in a block; no sound node has more.
  package static func capacity(valueSize: Int) -> Int {
    (MetadataBlock.size - Layout.size) / (8 + valueSize)
  }

  /// The fewest entries allowed in a node that isn't a root.
  package static func minimumEntries(valueSize: Int) -> Int {
    maximumEntries(valueSize: valueSize) / 3
  }
}
