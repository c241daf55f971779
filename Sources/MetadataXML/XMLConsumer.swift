/// What an `XMLReader` feeds: it takes the tags of a document in order.
///
/// Elements that occur by the million are declared as `rows` and come as bare numbers, a container
/// with an `end` after its contents; all others come as `start` and `end`. The reader knows nothing
/// about metadata, so the consumer has to reject tags that are unknown, misplaced or missing.
@usableFromInline
package protocol XMLConsumer: ~Copyable {
  /// The elements that come as rows, however the XML is formatted.
  static var rows: [XMLRowShape] { get }

  /// Takes a start tag. An element with a row's name comes this way if its attributes are not
  /// exactly those of the shape, so that the consumer can say what is wrong with them.
  mutating func start(_ tag: XMLTag) throws(XMLComplaint)

  /// Takes the end of an element that came through `start`, or of a container; every such element
  /// has one.
  mutating func end(_ name: String) throws(XMLComplaint)

  /// Takes a whole element, or the start of a container, that has the shape `rows[shape]`: its
  /// numbers, in the shape's order, come first in `values`.
  mutating func row(_ shape: Int, _ values: Span<UInt64>) throws(XMLComplaint)

  /// Takes elements that follow each other, none of them a container: their shapes, and `count`
  /// numbers for each. When it throws, `taken` says how many came before the one at fault.
  mutating func rows(
    _ shapes: Span<UInt8>, _ values: Span<UInt64>, each count: Int, _ taken: inout Int
  ) throws(XMLComplaint)
}

extension XMLConsumer where Self: ~Copyable {
  @inlinable package mutating func rows(
    _ shapes: Span<UInt8>, _ values: Span<UInt64>, each count: Int, _ taken: inout Int
  ) throws(XMLComplaint) {
    for index in shapes.indices {
      taken = index
      try row(
        Int(shapes[index]), values.extracting(index &* count..<index &* count &+ count))
    }
  }
}
