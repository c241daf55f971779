extension String {
  /// The text as a terminal may see it: lines, and nothing else that does anything.
  ///
  /// Control characters, and characters that turn or break lines, are shown as the bytes they
  /// are, `\x1b`; so is whatever stands for a byte of a file's name (`FileName`). The one way for
  /// words to leave the program.
  package var printable: String {
    if utf8.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == UInt8(ascii: "\n") }) { return self }
    var text = ""
    for scalar in unicodeScalars {
      if scalar == "\n" || !scalar.isHidden {
        text.unicodeScalars.append(scalar)
      } else {
        text += scalar.escape
      }
    }
    return text
  }

  /// The same in one line.
  package var oneLine: String { printable.replacing("\n", with: "\\n") }
}

extension Unicode.Scalar {
  /// Whether a terminal would do something instead of showing it, or show nothing.
  package var isHidden: Bool {
    if FileName.byte(of: self) != nil { return true }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }

  /// The bytes that it is in a file's name, escaped as shells and people know it.
  var escape: String {
    if let byte = FileName.byte(of: self) { return Unicode.Scalar.escape(byte) }
    return UTF8.encode(self).map { $0.map(Unicode.Scalar.escape).joined() } ?? ""
  }

  private static func escape(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "\n"): return "\\n"
    case UInt8(ascii: "\t"): return "\\t"
    case UInt8(ascii: "\r"): return "\\r"
    default:
      let digits = String(byte, radix: 16)
      return "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
    }
  }
}
