extension String {
  /// The text made safe for a terminal: newlines are the only control characters left.
  ///
  /// Control characters, and characters that break or reorder lines, are shown as bytes, `\x1b`; so
  /// are those that stand for bytes of a file name (`FileName`). All messages go through this.
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
  /// Whether a terminal would act on it instead of showing it, or show nothing.
  package var isHidden: Bool {
    if FileName.byte(of: self) != nil { return true }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }

  /// Its bytes in a file name, escaped as in shells.
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
