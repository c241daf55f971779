/// A start tag: the name of its element and its attributes.
///
/// Consumers read attributes with the throwing methods, so that all report the same mistake alike.
@usableFromInline
package struct XMLTag: Sendable {
  /// An attribute with its references resolved. No two in a tag have the same name.
  package struct Attribute: Sendable, Equatable {
    /// The name as written.
    package var name: String
    /// The value, without its quotes.
    package var value: String

    /// Makes an attribute.
    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The name of the element.
  package var name: String
  /// The attributes in the order of the document.
  package var attributes: [Attribute]

  /// Makes a tag.
  package init(name: String, attributes: [Attribute]) {
    self.name = name
    self.attributes = attributes
  }

  /// The value of an attribute, if the tag has it.
  package subscript(name: String) -> String? {
    attributes.first { $0.name == name }?.value
  }

  /// Throws a complaint about the first attribute that isn't in `names`.
  package func allow(only names: String...) throws(XMLComplaint) {
    for attribute in attributes where !names.contains(attribute.name) {
      throw .content("unknown attribute '\(attribute.name)' in tag '\(name)'")
    }
  }

  /// The value of an attribute that must be there.
  package func text(_ attribute: String) throws(XMLComplaint) -> String {
    guard let value = self[attribute] else {
      throw .content("missing attribute '\(attribute)' for tag '\(name)'")
    }
    return value
  }

  /// The value of an attribute that must be there and must be a number.
  package func number(_ attribute: String) throws(XMLComplaint) -> UInt64 {
    try decode(attribute, text(attribute))
  }

  /// The value of an attribute that must be a number if it is there.
  package func numberIfPresent(_ attribute: String) throws(XMLComplaint) -> UInt64? {
    guard let value = self[attribute] else { return nil }
    return try decode(attribute, value)
  }

  /// The same as `number`, below 2^32.
  package func number32(_ attribute: String) throws(XMLComplaint) -> UInt32 {
    try XMLTag.narrow(number(attribute), attribute, of: name)
  }

  /// Narrows an attribute's number, which must be below 2^32.
  package static func narrow(
    _ wide: UInt64, _ attribute: String, of tag: String
  ) throws(XMLComplaint) -> UInt32 {
    guard let narrow = UInt32(exactly: wide) else {
      throw .content("attribute '\(attribute)' of tag '\(tag)' is too large (found \(wide))")
    }
    return narrow
  }

  private func decode(_ attribute: String, _ value: String) throws(XMLComplaint) -> UInt64 {
    guard let number = decimal(value.utf8Span.span) else {
      throw .content(
        "attribute '\(attribute)' of tag '\(name)' must be a decimal number below 2^64"
          + " (found '\(value)')")
    }
    return number
  }
}
