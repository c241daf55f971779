internal import ArgumentParser

/// The options of a tool, as in its help, hidden ones included.
struct KnownOptions {
  /// By name, as in `--output` or `-o`; whether it takes a value.
  private var takesValue: [Substring: Bool] = [:]

  init(of tool: any Tool.Type) {
    for row in HelpPage(of: tool, includingHidden: true).options {
      for name in row.names { takesValue[name[...]] = row.placeholder != nil }
    }
  }

  /// A message about the first option on a command line that the tool doesn't have.
  func problem(in arguments: [String]) -> String? {
    unknown(in: arguments).map { option in
      let names = takesValue.keys.filter { $0.hasPrefix("--") }.map(String.init).sorted()
      let meant = option.hasPrefix("--") ? NearMiss.names(near: option, among: names) : []
      return "Unknown option '\(option)'" + NearMiss.question(meant)
    }
  }

  /// The first option on a command line that the tool doesn't have.
  private func unknown(in arguments: [String]) -> String? {
    for word in arguments {
      if word == "--" { return nil }
      let digits = word.dropFirst()
      guard word.first == "-", let second = digits.first, !second.isNumber else { continue }
      if second == "-" {
        let name = word.prefix { $0 != "=" }
        if takesValue[name] == nil { return String(name) }
        continue
      }
      // Letters may be combined; what follows one that takes a value is the value.
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
