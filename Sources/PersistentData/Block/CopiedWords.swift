extension [UInt64] {
  /// Overwrites the elements from `place` on.
  package mutating func copy(_ source: Span<UInt64>, to place: Int) {
    var elements = mutableSpan
    for index in source.indices { elements[place + index] = source[index] }
  }

  /// Overwrites the elements from `place` on with numbers as they stand on disk.
  package mutating func copy(littleEndian source: Span<UInt64>, to place: Int) {
    var elements = mutableSpan
    for index in source.indices { elements[place + index] = UInt64(littleEndian: source[index]) }
  }
}
