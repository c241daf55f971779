/// As much of JSON as a report of lvs takes: objects of which only texts and numbers matter.
struct FlatJSON {
  /// Deeper than any such report.
  private static let deepest = 64

  private var rest: Substring.UnicodeScalarView
  private var objects: [[String: String]] = []

  /// All objects in a document, inner ones first, each with those of its members that are a text,
  /// a number or a word; `nil` when this is no JSON.
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

  /// Takes a character that has to come next, blanks apart.
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

  /// Takes a text. LVM's names need no escapes; one that is there is kept as it stands.
  private mutating func text() -> String? {
    rest.removeFirst()
    var text = String.UnicodeScalarView()
    while let next = rest.popFirst() {
      if next == "\"" { return String(text) }
      text.append(next)
      if next == "\\", let escaped = rest.popFirst() { text.append(escaped) }
    }
    return nil
  }
}
