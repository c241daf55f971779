/// Whether a line is so plain that the lines after it may still go through the fast lane.
///
/// If `line`, a whole line with its line feed, starts between two tags, then a simple line also
/// ends between two tags, and counts as one line to expat. It is blank, or a single complete tag,
/// or the XML declaration. Comments, CDATA sections, references, text, carriage returns, quoted
/// angle brackets and anything rare make a line not simple; so does much that expat would reject.
func isSimpleLine(_ line: Span<UInt8>) -> Bool {
  var scanner = LineScanner(line)
  scanner.skipBlanks()
  if scanner.skip(UInt8(ascii: "\n")) { return scanner.isAtEnd }
  guard scanner.skip(UInt8(ascii: "<")) else { return false }
  if scanner.skip(UInt8(ascii: "?")) {
    guard scanner.skipName(), scanner.skipAttributes(), scanner.skip(UInt8(ascii: "?")) else {
      return false
    }
  } else if scanner.skip(UInt8(ascii: "/")) {
    guard scanner.skipName() else { return false }
    scanner.skipBlanks()
  } else {
    guard scanner.skipName(), scanner.skipAttributes() else { return false }
    _ = scanner.skip(UInt8(ascii: "/"))
  }
  guard scanner.skip(UInt8(ascii: ">")) else { return false }
  scanner.skipBlanks()
  return scanner.skip(UInt8(ascii: "\n")) && scanner.isAtEnd
}

/// Moves along a line, token by token.
private struct LineScanner: ~Escapable {
  private let line: Span<UInt8>
  private var index = 0

  @_lifetime(copy line) init(_ line: Span<UInt8>) { self.line = line }

  var isAtEnd: Bool { index == line.count }

  /// Moves past one byte if it is this one.
  @_lifetime(self: copy self) mutating func skip(_ byte: UInt8) -> Bool {
    guard index < line.count, line[index] == byte else { return false }
    index += 1
    return true
  }

  @_lifetime(self: copy self) mutating func skipBlanks() {
    while skip(UInt8(ascii: " ")) || skip(UInt8(ascii: "\t")) {}
  }

  /// Moves past a name of ASCII letters, digits and underscores.
  @_lifetime(self: copy self) mutating func skipName() -> Bool {
    let start = index
    while index < line.count {
      switch line[index] {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        index += 1
      default: return index > start
      }
    }
    return false
  }

  /// Moves past all attributes and the blanks around them. Returns whether each was complete.
  @_lifetime(self: copy self) mutating func skipAttributes() -> Bool {
    skipBlanks()
    while skipName() {
      guard skip(UInt8(ascii: "=")), skipQuoted() else { return false }
      skipBlanks()
    }
    return true
  }

  /// Moves past a value in double quotes.
  @_lifetime(self: copy self) mutating func skipQuoted() -> Bool {
    guard skip(UInt8(ascii: "\"")) else { return false }
    while index < line.count {
      switch line[index] {
      case UInt8(ascii: "\""): return skip(UInt8(ascii: "\""))
      case ..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"): return false
      default: index += 1
      }
    }
    return false
  }
}
