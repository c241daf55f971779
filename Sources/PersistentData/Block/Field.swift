/// Where a little-endian integer is in a structure on disk.
///
/// Every structure declares its fields once, in a `Layout`; readers, writers, messages and damage
/// tests all use those declarations, so no offset is written twice.
@usableFromInline
package struct Field<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: Sendable {
  /// Bytes from the start of the structure.
  @usableFromInline package let offset: Int

  @inlinable package init(at offset: Int) { self.offset = offset }

  /// The same field in a structure that itself starts `base` bytes into the block.
  @inlinable package func shifted(by base: Int) -> Field { Field(at: base + offset) }

  package var size: Int { Value.bitWidth / 8 }
}

extension RawSpan {
  /// The field's value. Reading past the end is a programming error and traps.
  @inlinable package subscript<Value>(field: Field<Value>) -> Value {
    // Any bit pattern is a valid integer, and the offset is checked against the span's bounds.
    Value(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: field.offset, as: Value.self))
  }
}

extension MutableRawSpan {
  @inlinable package subscript<Value>(field: Field<Value>) -> Value {
    get {
      let bytes = self.bytes
      return bytes[field]
    }
    set {
      storeBytes(of: newValue.littleEndian, toByteOffset: field.offset, as: Value.self)
    }
  }

  /// Stores `count` numbers, each `step` more than the one before, little-endian, from `offset` on;
  /// past the end traps.
  mutating func store(from first: UInt64, step: UInt64, count: Int, at offset: Int) {
    precondition(offset >= 0 && offset <= byteCount && count <= (byteCount - offset) / 8)
    var word = first
    for index in 0..<max(0, count) {
      unsafe storeBytes(
        of: word.littleEndian, toUncheckedByteOffset: offset &+ 8 &* index, as: UInt64.self)
      word &+= step
    }
  }

  /// Copies bytes from `source` to `place`; past the end of either traps.
  mutating func copy(_ source: RawSpan, from offset: Int, count: Int, to place: Int) {
    precondition(count >= 0 && offset >= 0 && count <= source.byteCount - offset)
    precondition(place >= 0 && count <= byteCount - place)
    unsafe source.withUnsafeBytes { source in
      unsafe withUnsafeMutableBytes { target in
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: source[offset..<offset + count])
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[place..<place + count])
          .copyMemory(from: bytes)
      }
    }
  }

  /// Stores numbers one after the other, little-endian, from `offset` on; past the end traps.
  @_specialize(where Number == UInt32)
  @_specialize(where Number == UInt64)
  package mutating func store<Number: FixedWidthInteger & BitwiseCopyable>(
    _ numbers: Span<Number>, at offset: Int
  ) {
    let size = MemoryLayout<Number>.size
    // Checked once for all of them.
    precondition(offset >= 0 && offset <= byteCount && numbers.count <= (byteCount - offset) / size)
    for index in numbers.indices {
      let place = offset &+ size &* index
      unsafe storeBytes(
        of: numbers[index].littleEndian, toUncheckedByteOffset: place, as: Number.self)
    }
  }
}
