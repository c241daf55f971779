/// Text in columns of a terminal.
enum TextColumns {
  /// The columns that a text takes: wide East Asian characters take two.
  static func width(_ text: some StringProtocol) -> Int {
    text.unicodeScalars.reduce(0) { sum, scalar in
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark: sum
      default: sum + (isWide(scalar.value) ? 2 : 1)
      }
    }
  }

  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }

  /// The text in exactly `columns` columns, cut with `…` or padded with blanks.
  static func fitted(_ text: String, _ columns: Int) -> String {
    let gap = columns - width(text)
    if gap >= 0 { return text + String(repeating: " ", count: gap) }
    var cut = ""
    var taken = 0
    for character in text {
      let next = width(String(character))
      if taken + next > columns - 1 { break }
      cut.append(character)
      taken += next
    }
    return cut + "…" + String(repeating: " ", count: columns - 1 - taken)
  }

  static func right(_ text: String, _ columns: Int) -> String {
    String(repeating: " ", count: max(0, columns - width(text))) + text
  }

  /// Breaks a line at blanks, or inside a word that is too long; indented lines, commands, with
  /// `\`.
  static func wrapped(_ line: String, _ columns: Int) -> [String] {
    if width(line) <= columns { return [line] }
    let isCommand = line.hasPrefix("  ")
    if isCommand, let remark = line.firstRange(of: "    (") {
      let words = line[remark.lowerBound...].drop { $0 == " " }
      return wrapped(String(line[..<remark.lowerBound]), columns)
        + wrapped(String(words), columns - 6).map { "      " + $0 }
    }
    let indent = isCommand ? "    " : "  "
    var lines: [String] = []
    var current = isCommand ? " " : ""
    for word in line.split(separator: " ") {
      let room = columns - (isCommand ? 2 : 0)
      if !current.allSatisfy({ $0 == " " }), width(current) + 1 + width(word) > room {
        lines.append(current + (isCommand ? " \\" : ""))
        current = String(indent.dropLast())
      }
      current += (current.isEmpty ? "" : " ") + word
      // A word longer than a line.
      while width(current) > room {
        var head = current
        while width(head) > room { head.removeLast() }
        lines.append(head)
        current = String(current.dropFirst(head.count))
      }
    }
    return lines + [current]
  }
}
