/// The shape of an element that occurs by the million: its name, and its attributes as they are
/// usually ordered. It has no content.
///
/// For example: `XMLRowShape("mapping", [.number("cache_block"), .text("dirty", "true")])`.
package struct XMLRowShape: Sendable {
  /// One of the attributes.
  package enum Attribute: Sendable {
    /// An attribute whose value is a decimal number below 2^64.
    case number(String)
    /// An attribute that has this value, which needs no escaping.
    case text(String, String)
  }

  /// The name of the element.
  package let name: String
  /// All its attributes, in canonical order.
  package let attributes: [Attribute]

  /// How many numbers a row carries.
  package let valueCount: Int

  /// Makes a shape.
  package init(_ name: String, _ attributes: [Attribute]) {
    self.name = name
    self.attributes = attributes
    valueCount = attributes.count { if case .number = $0 { true } else { false } }
  }

  /// The literal pieces of a line in canonical form, less its indentation: one number stands
  /// between each two of them.
  var pieces: [String] {
    var pieces = ["<\(name)"]
    for attribute in attributes {
      switch attribute {
      case .number(let name):
        pieces[pieces.count - 1] += " \(name)=\""
        pieces.append("\"")
      case .text(let name, let value):
        pieces[pieces.count - 1] += " \(name)=\"\(value)\""
      }
    }
    pieces[pieces.count - 1] += "/>\n"
    return pieces
  }
}
