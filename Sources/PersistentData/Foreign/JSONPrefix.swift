/// Tells JSON from other text by its first few kilobytes.
struct JSONPrefix {
  private var rest: ArraySlice<UInt8>
  /// The closing bracket needed for each open one.
  private var open: [UInt8] = []

  /// Whether the text starts with an object or an array, and is JSON as far as it goes.
  static func holds(_ text: ArraySlice<UInt8>) -> Bool {
    var prefix = JSONPrefix(rest: text)
    guard let first = text.first, "{[".utf8.contains(first) else { return false }
    while prefix.skipBlanks(), !prefix.rest.isEmpty {
      guard prefix.takeToken() else { return false }
    }
    return true
  }

  static func isBlank(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }

  private mutating func skipBlanks() -> Bool {
    rest = rest.drop(while: JSONPrefix.isBlank)
    return true
  }

  /// Takes a bracket, a comma, a colon or a value; `false` for anything else.
  ///
  /// The order of tokens isn't checked, except that nothing may be outside all brackets.
  private mutating func takeToken() -> Bool {
    guard let byte = rest.popFirst() else { return true }
    switch byte {
    case UInt8(ascii: "{"): open.append(UInt8(ascii: "}"))
    case UInt8(ascii: "["): open.append(UInt8(ascii: "]"))
    case UInt8(ascii: "}"), UInt8(ascii: "]"): return open.popLast() == byte
    case UInt8(ascii: ","), UInt8(ascii: ":"): return !open.isEmpty
    case UInt8(ascii: "\""): return !open.isEmpty && takeString()
    default: return !open.isEmpty && takeWord(from: byte)
    }
    return true
  }

  private mutating func takeString() -> Bool {
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") { return true }
      if byte < 0x20 { return false }
      if byte == UInt8(ascii: "\\") { _ = rest.popFirst() }
    }
    return true
  }

  /// Takes a number, `true`, `false` or `null`, or the start of one at the end of the text.
  private mutating func takeWord(from first: UInt8) -> Bool {
    let end = rest.firstIndex { JSONPrefix.isBlank($0) || ",:]}".utf8.contains($0) }
    let word = [first] + rest[..<(end ?? rest.endIndex)]
    rest = rest[(end ?? rest.endIndex)...]
    if word.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) {
      return first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    }
    return ["true", "false", "null"].contains { constant in
      end == nil ? constant.utf8.starts(with: word) : constant.utf8.elementsEqual(word)
    }
  }
}
