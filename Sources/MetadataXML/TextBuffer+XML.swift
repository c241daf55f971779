/// The few shapes of XML output: a tag on its own line, two spaces of indentation per level,
/// attributes in the caller's order.
///
/// A tag is built with `startTag`, `attribute` …, then `open` or `close`. The millions of lines
/// of a dump are better written as literals and numbers with `append`.
extension TextBuffer {
  /// Begins a start tag or an empty-element tag: `  <device`.
  package mutating func startTag(_ name: StaticString, depth: Int) {
    indent(depth)
    append("<")
    append(name)
  }

  /// Adds a number to the current tag: ` time="7"`.
  package mutating func attribute(_ name: StaticString, _ number: UInt64) {
    append(" ")
    append(name)
    append("=\"")
    append(number)
    append("\"")
  }

  /// Adds text to the current tag, escaped: ` uuid="a&amp;b"`.
  package mutating func attribute(_ name: StaticString, text: String) {
    append(" ")
    append(name)
    append("=\"")
    append(escaping: text)
    append("\"")
  }

  /// Ends the current start tag; `endTag` must follow.
  package mutating func open() { append(">\n") }

  /// Ends the current tag as an empty element.
  package mutating func close() { append("/>\n") }

  /// Writes an end tag: `  </device>`.
  package mutating func endTag(_ name: StaticString, depth: Int) {
    indent(depth)
    append("</")
    append(name)
    append(">\n")
  }

  /// Appends text escaped so that an XML reader gets it back, also from an attribute.
  ///
  /// Characters that XML 1.0 cannot carry come out as U+FFFD, the replacement character.
  package mutating func append(escaping text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "&"): append("&amp;")
      case UInt8(ascii: "<"): append("&lt;")
      case UInt8(ascii: ">"): append("&gt;")
      case UInt8(ascii: "\""): append("&quot;")
      case UInt8(ascii: "'"): append("&apos;")
      // A reader turns these into spaces, unless they are written as references.
      case UInt8(ascii: "\t"): append("&#9;")
      case UInt8(ascii: "\n"): append("&#10;")
      case UInt8(ascii: "\r"): append("&#13;")
      case ..<0x20: append("\u{FFFD}")
      default: append(byte: byte)
      }
    }
  }

  private mutating func indent(_ depth: Int) {
    for _ in 0..<depth { append("  ") }
  }
}
