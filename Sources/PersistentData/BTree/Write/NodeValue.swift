/// A value that the leaves of some tree store.
package protocol NodeValue: Sendable {
  /// Bytes it takes on disk.
  static var encodedSize: Int { get }
  func encode(into bytes: inout MutableRawSpan, at offset: Int)
  /// Encodes values one after the other.
  static func encode(_ values: Span<Self>, into bytes: inout MutableRawSpan, at offset: Int)
}

extension NodeValue {
  package static func encode(
    _ values: Span<Self>, into bytes: inout MutableRawSpan, at offset: Int
  ) {
    for index in values.indices {
      values[index].encode(into: &bytes, at: offset + index * encodedSize)
    }
  }
}

extension UInt64: NodeValue {
  package static var encodedSize: Int { 8 }
  package func encode(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes[Field<UInt64>(at: offset)] = self
  }

  package static func encode(
    _ values: Span<UInt64>, into bytes: inout MutableRawSpan, at offset: Int
  ) {
    bytes.store(values, at: offset)
  }
}

extension UInt32: NodeValue {
  package static var encodedSize: Int { 4 }
  package func encode(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes[Field<UInt32>(at: offset)] = self
  }

  package static func encode(
    _ values: Span<UInt32>, into bytes: inout MutableRawSpan, at offset: Int
  ) {
    bytes.store(values, at: offset)
  }
}

extension IndexEntry: NodeValue {
  package static var encodedSize: Int { Layout.size }
}
