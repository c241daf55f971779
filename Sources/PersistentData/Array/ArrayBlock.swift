/// One block of an array: a header, then values of one size, one after the other.
///
/// The block doesn't store its place in the array; only the index tree knows it. A view over bytes
/// already read; it trusts nothing: `check` must return `true` before a value is read.
///
/// Source: Linux, drivers/md/persistent-data/dm-array.c, `struct array_block`.
package struct ArrayBlock: ~Escapable {
  package enum Layout {
    package static let checksum = Field<UInt32>(at: 0)  // CRC-32C of bytes 4..<4096, array salt
    package static let maxEntries = Field<UInt32>(at: 4)  // values that fit
    package static let entryCount = Field<UInt32>(at: 8)  // values in use
    package static let valueSize = Field<UInt32>(at: 12)  // bytes
    package static let block = Field<UInt64>(at: 16)  // metadata block this part lives in
    package static let size = 24  // bytes; the values start here
  }

  private let bytes: RawSpan

  @_lifetime(copy bytes) package init(_ bytes: RawSpan) { self.bytes = bytes }

  package var block: UInt64 { bytes[Layout.block] }
  package var maxEntries: Int { Int(bytes[Layout.maxEntries]) }
  package var entryCount: Int { Int(bytes[Layout.entryCount]) }
  package var valueSize: Int { Int(bytes[Layout.valueSize]) }

  /// Values that fit in a block: 509 of eight bytes, 1,018 of four.
  package static func capacity(valueSize: Int) -> Int {
    (MetadataBlock.size - Layout.size) / valueSize
  }

  /// Blocks needed for an array of `count` values.
  package static func count(for count: UInt64, valueSize: Int) -> UInt64 {
    let capacity = UInt64(capacity(valueSize: valueSize))
    return count / capacity + (count % capacity == 0 ? 0 : 1)
  }

  /// The value at an index of the block, four or eight bytes long.
  package func value<Value>(_ index: Int, as: Value.Type = Value.self) -> Value
  where Value: FixedWidthInteger & BitwiseCopyable & Sendable {
    bytes[ArrayBlock.field(index)]
  }

  /// The first `count` values, four or eight bytes each, as they stand on disk: little-endian.
  ///
  /// Going through a span costs one bounds check, not one per value.
  @_lifetime(copy self) package func stored<Value>(_ count: Int, as: Value.Type = Value.self)
    -> Span<Value>
  where Value: FixedWidthInteger & BitwiseCopyable & Sendable {
    // Any bit pattern is a valid integer; blocks are aligned, and so are the values in them.
    Span(_bytes: bytes.extracting(Layout.size..<Layout.size + count * Value.bitWidth / 8))
  }

  /// The field of the value at an index of a block.
  package static func field<Value>(_ index: Int) -> Field<Value> {
    Field(at: Layout.size + index * (Value.bitWidth / 8))
  }
}

extension ArrayBlock {
  /// Whether this is, judged by itself alone, the array block that lives in `block`, with values of
  /// four or eight bytes; the caller has found its checksum to be an array block's.
  package func isSound(in block: MetadataBlock) -> Bool {
    self.block == UInt64(block.number) && (valueSize == 4 || valueSize == 8)
      && entryCount <= ArrayBlock.capacity(valueSize: valueSize)
  }

  /// Reports everything wrong with a block of the array that it and the array's size can show; the
  /// caller has found its checksum to be an array block's.
  ///
  /// `home`: where it was read. `wanted`: how many of the array's values it must hold. Returns
  /// whether these may be read.
  package func check(
    home: MetadataBlock, shape: ArrayShape, wanted: Int, at site: @autoclosure () -> Site,
    into findings: inout Findings
  ) -> Bool {
    guard block == UInt64(home.number) else {
      findings.report(.blockWrongNumber, at: site(), found: block, expected: UInt64(home.number))
      return false
    }
    guard valueSize == shape.valueSize else {
      findings.report(
        .arrayWrongValueSize, at: site(), found: UInt64(valueSize),
        expected: UInt64(shape.valueSize))
      return false
    }
    let capacity = shape.valuesPerBlock
    guard entryCount <= capacity, entryCount >= wanted else {
      findings.report(
        .arrayWrongEntryCount, at: site(), found: "\(entryCount) values",
        expected: entryCount < wanted ? .atLeast(wanted) : .atMost(capacity))
      return false
    }
    // Values beyond the array's end are never read, so they do no harm.
    if entryCount > wanted, wanted < capacity {
      findings.report(
        .arrayEntriesBeyondEnd, at: site(), found: "\(entryCount) values",
        expected: .exactly(wanted))
    }
    if maxEntries != capacity {
      findings.report(
        .arrayUnusualMaximum, at: site(), found: UInt64(maxEntries), expected: UInt64(capacity))
    }
    return true
  }
}
