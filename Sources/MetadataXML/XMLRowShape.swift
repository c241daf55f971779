/// The shape of an element that occurs by the million: its name, and its attributes in their usual
/// order. It has no content, unless it is a container.
///
/// For example: `XMLRowShape("mapping", [.number("cache_block"), .text("dirty", "true")])`.
@usableFromInline
package struct XMLRowShape: Sendable {
  /// One of the attributes.
  package enum Attribute: Sendable {
    /// An attribute whose value is a decimal number below 2^64.
    case number(String)
    /// An attribute whose value is four bytes in base64, the lowest of a number first.
    case base64(String)
    /// An attribute that has this value, which needs no escaping.
    case text(String, String)
  }

  /// The name of the element.
  package let name: String
  /// All its attributes, in canonical order.
  package let attributes: [Attribute]

  /// Whether it may hold other elements.
  package let isContainer: Bool

  /// How many numbers a row carries.
  package let valueCount: Int

  /// Makes a shape. A container's name must have at least five letters.
  package init(_ name: String, _ attributes: [Attribute], isContainer: Bool = false) {
    self.name = name
    self.attributes = attributes
    self.isContainer = isContainer
    valueCount = attributes.count { if case .text = $0 { false } else { true } }
  }

  /// The literal pieces of a line in canonical form, without its indentation, with one number
  /// between each two, as `valueKinds` says. For a container, the line of its start tag.
  var pieces: [String] {
    var pieces = ["<\(name)"]
    for attribute in attributes {
      switch attribute {
      case .number(let name), .base64(let name):
        pieces[pieces.count - 1] += " \(name)=\""
        pieces.append("\"")
      case .text(let name, let value):
        pieces[pieces.count - 1] += " \(name)=\"\(value)\""
      }
    }
    pieces[pieces.count - 1] += isContainer ? ">\n" : "/>\n"
    return pieces
  }

  /// How the numbers of a row are written.
  enum ValueKind {
    case decimal
    case base64
  }

  /// By number, in the order of the attributes.
  var valueKinds: [ValueKind] {
    attributes.compactMap { attribute in
      switch attribute {
      case .number: .decimal
      case .base64: .base64
      case .text: nil
      }
    }
  }

  /// The line of a container's end tag in canonical form, without its indentation.
  var closing: String { "</\(name)>\n" }
}
