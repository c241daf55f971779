extension [UInt64] {
  /// Appends words as they are.
  package mutating func append(copying source: Span<UInt64>) {
    unsafe source.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }

  /// Overwrites the elements from `place` on with numbers as they stand on disk.
  package mutating func copy(littleEndian source: Span<UInt64>, to place: Int) {
    var elements = mutableSpan
    for index in source.indices { elements[place + index] = UInt64(littleEndian: source[index]) }
  }
}
