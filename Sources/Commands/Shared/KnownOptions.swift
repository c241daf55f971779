internal import ArgumentParser

/// The options that a tool has, as its help lists them, the hidden ones among them.
struct KnownOptions {
  /// By name, as in `--output` or `-o`; whether it takes a value.
  private var takesValue: [Substring: Bool] = [:]

  init(of tool: any Tool.Type) {
    for line in tool.helpMessage(includeHidden: true, columns: 1000).split(separator: "\n") {
      let line = line.drop { $0 == " " }
      guard line.first == "-" else { continue }
      // Names end where there are two blanks, or the name of a value.
      var names: [Substring] = []
      var hasValue = false
      for word in line.split(separator: " ", omittingEmptySubsequences: false) {
        guard word.first == "-" else {
          hasValue = word.first == "<"
          break
        }
        names.append(word.prefix { $0 != "," })
      }
      for name in names { takesValue[name] = hasValue }
    }
  }

  /// The first option among the words of a command line that the tool doesn't have.
  func unknown(in arguments: [String]) -> String? {
    for word in arguments {
      if word == "--" { return nil }
      let digits = word.dropFirst()
      guard word.first == "-", let second = digits.first, !second.isNumber else { continue }
      if second == "-" {
        let name = word.prefix { $0 != "=" }
        if takesValue[name] == nil { return String(name) }
        continue
      }
      // Letters may stand together; what follows one with a value is the value.
      for letter in digits {
        guard letter != "=", let hasValue = takesValue["-\(letter)"] else {
          if letter == "=" { break }
          return "-\(letter)"
        }
        if hasValue { break }
      }
    }
    return nil
  }
}
