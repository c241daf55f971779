/// The shape of an element that occurs by the million: its name, and its attributes as they are
/// usually ordered. It has no content, unless it is a container.
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

  /// Whether other elements may stand in it.
  package let isContainer: Bool

  /// How many numbers a row carries.
  package let valueCount: Int

  /// Makes a shape. A container's name has five letters at least.
  package init(_ name: String, _ attributes: [Attribute], isContainer: Bool = false) {
    self.name = name
    self.attributes = attributes
    self.isContainer = isContainer
    valueCount = attributes.count { if case .number = $0 { true } else { false } }
  }

  /// The literal pieces of a line in canonical form, less its indentation: one number stands
  /// between each two of them. A container's is the line of its start tag.
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
    pieces[pieces.count - 1] += isContainer ? ">\n" : "/>\n"
    return pieces
  }

  /// The line of a container's end tag in canonical form, less its indentation.
  var closing: String { "</\(name)>\n" }
}
