/// A file name as a word of a printed command: whatever the name, a shell that the command is
/// pasted into takes it for exactly that file.
///
/// Quoted if needed; with control characters, or bytes that aren't text, as `$'a\nb'`, which bash,
/// zsh and ksh read.
package struct ShellWord: CustomStringConvertible {
  package let description: String

  package init(_ name: String) {
    // A command would take a leading dash for an option.
    let name = name.utf8.first == UInt8(ascii: "-") ? "./\(name)" : name
    if name.unicodeScalars.contains(where: \.isHidden) {
      description = "$'\(ShellWord.escaped(name))'"
    } else if !name.isEmpty, name.utf8.allSatisfy(ShellWord.isPlain) {
      description = name
    } else {
      description = "'\(name.replacing("'", with: "'\\''"))'"
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: "/._+,:@%=-".utf8.contains(byte)
    }
  }

  private static func escaped(_ name: String) -> String {
    var text = ""
    for scalar in name.unicodeScalars {
      if scalar.isHidden {
        text += scalar.escape
      } else {
        if scalar == "\\" || scalar == "'" { text += "\\" }
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
