/// What an `XMLReader` feeds: the tags of a document in their order.
///
/// Elements that occur by the million are declared as `rows` and come as bare numbers, a container
/// with an `end` after what it holds; all others come as `start` and `end`. The reader knows
/// nothing of metadata, so tags that are unknown, out of place or missing are for the consumer to
/// complain about.
package protocol XMLConsumer: ~Copyable {
  /// The elements that come as rows. What a row is does not depend on how the XML is written.
  static var rows: [XMLRowShape] { get }

  /// Takes a start tag. An element of the name of a row comes this way if its attributes are not
  /// exactly those of the shape, so that the consumer can say what is wrong with them.
  mutating func start(_ tag: XMLTag) throws(XMLComplaint)

  /// Takes the end of an element that came through `start`, or of a container; every such element
  /// has one.
  mutating func end(_ name: String) throws(XMLComplaint)

  /// Takes a whole element, or the start of a container, that has the shape `rows[shape]`: its
  /// numbers, in the shape's order.
  mutating func row(_ shape: Int, _ values: Span<UInt64>) throws(XMLComplaint)
}
