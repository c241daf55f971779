/// A reader of as much JSON as a report of lvs needs: objects whose texts and numbers matter.
struct FlatJSON {
  /// Deeper than any such report.
  private static let deepest = 64

  private var rest: Substring.UnicodeScalarView
  private var objects: [[String: String]] = []

  /// All objects in a document, inner ones first, each with those of its members that are a text, a
  /// number or a word; `nil` when this isn't JSON.
  static func objects(in text: String) -> [[String: String]]? {
    var reader = FlatJSON(rest: text[...].unicodeScalars)
    guard reader.value(depth: 0) != nil else { return nil }
    reader.skipSpace()
    return reader.rest.isEmpty ? reader.objects : nil
  }

  private init(rest: Substring.UnicodeScalarView) { self.rest = rest }

  private mutating func skipSpace() {
    while let first = rest.first, first.properties.isWhitespace { rest.removeFirst() }
  }

  /// Takes a character that has to come next, after any blanks.
  private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
    skipSpace()
    guard rest.first == wanted else { return false }
    rest.removeFirst()
    return true
  }

  /// Takes a value: its text, empty for an object or an array; `nil` when there is none.
  private mutating func value(depth: Int) -> String? {
    skipSpace()
    if depth > FlatJSON.deepest { return nil }
    switch rest.first {
    case "{": return object(depth: depth) ? "" : nil
    case "[": return array(depth: depth) ? "" : nil
    case "\"": return text()
    default:
      let word = rest.prefix {
        $0.properties.isAlphabetic || "+-.0123456789".unicodeScalars.contains($0)
      }
      rest.removeFirst(word.count)
      return word.isEmpty ? nil : String(word)
    }
  }

  private mutating func object(depth: Int) -> Bool {
    rest.removeFirst()
    var members: [String: String] = [:]
    if !take("}") {
      repeat {
        skipSpace()
        guard rest.first == "\"", let name = text(), take(":"),
          let value = value(depth: depth + 1)
        else { return false }
        members[name] = value
      } while take(",")
      guard take("}") else { return false }
    }
    objects.append(members)
    return true
  }

  private mutating func array(depth: Int) -> Bool {
    rest.removeFirst()
    if take("]") { return true }
    repeat {
      guard value(depth: depth + 1) != nil else { return false }
    } while take(",")
    return take("]")
  }

  /// Takes a text, its escapes undone.
  private mutating func text() -> String? {
    rest.removeFirst()
    var text = String.UnicodeScalarView()
    while let next = rest.popFirst() {
      if next == "\"" { return String(text) }
      guard let meant = next == "\\" ? escaped() : next else { return nil }
      text.append(meant)
    }
    return nil
  }

  /// Takes what follows a backslash: returns the character that is meant.
  private mutating func escaped() -> Unicode.Scalar? {
    switch rest.popFirst() {
    case "\"": "\""
    case "\\": "\\"
    case "/": "/"
    case "b": "\u{8}"
    case "f": "\u{C}"
    case "n": "\n"
    case "r": "\r"
    case "t": "\t"
    case "u": numbered()
    default: nil
    }
  }

  /// Takes the digits after `\u`, and the second half of a character that needs two; `nil` if that
  /// is missing.
  private mutating func numbered() -> Unicode.Scalar? {
    guard let first = codeUnit() else { return nil }
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard UTF16.isLeadSurrogate(first), rest.popFirst() == "\\", rest.popFirst() == "u",
      let second = codeUnit(), UTF16.isTrailSurrogate(second)
    else { return nil }
    return Unicode.Scalar(0x10000 + ((UInt32(first) & 0x3FF) << 10 | UInt32(second) & 0x3FF))
  }

  private mutating func codeUnit() -> UInt16? {
    var number: UInt16 = 0
    for _ in 0..<4 {
      guard let next = rest.popFirst(), next.isASCII,
        let digit = Character(next).hexDigitValue
      else { return nil }
      number = number << 4 | UInt16(digit)
    }
    return number
  }
}
