extension Array where Element: FixedWidthInteger & BitwiseCopyable & Sendable {
  /// Appends numbers stored as on disk.
  @_specialize(where Element == UInt32)
  @_specialize(where Element == UInt64)
  package mutating func append(littleEndian source: Span<Element>) {
    let start = count
    append(copying: source)
    // Nothing to do where the processor has the same order.
    if Element(littleEndian: 1) == 1 { return }
    for index in start..<count { self[index] = Element(littleEndian: self[index]) }
  }
}

extension Array where Element: BitwiseCopyable {
  /// Appends elements as they are.
  @_specialize(where Element == UInt32)
  @_specialize(where Element == UInt64)
  package mutating func append(copying source: Span<Element>) {
    unsafe source.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}

extension [UInt64] {
  /// Overwrites the elements from `place` on with numbers stored as on disk.
  package mutating func copy(littleEndian source: Span<UInt64>, to place: Int) {
    var elements = mutableSpan
    for index in source.indices { elements[place + index] = UInt64(littleEndian: source[index]) }
  }
}
