/// What a shell offers where a command line of a tool goes on.
///
/// A script for a shell knows all tools, called by `dmmeta TOOL` or by links of their names.
struct Completion {
  enum ShellKind: String, CaseIterable {
    case bash, zsh, fish
  }

  let pages: [HelpPage]
  /// Names of the program that take a tool as their first word.
  static let programs = ["dmmeta", "pdata_tools"]
  /// First words that are no tools.
  static let words = ["help", "--help", "--version"]

  func script(for shell: ShellKind) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  var commands: String {
    (Completion.programs + pages.map(\.tool)).joined(separator: " ")
  }

  func head(_ shell: String) -> String {
    "# What \(shell) offers for dmmeta and its tools; 'dmmeta --completion \(shell)' prints this.\n"
  }
}

extension HelpPage.Row {
  /// What an option's value can be.
  enum Values {
    case none, files, anything
    case some([String])
  }

  var values: Values {
    guard let placeholder else { return .none }
    if placeholder == "FILE" || placeholder == "DEVICE" { return .files }
    guard let start = text.firstRange(of: "values: ")?.upperBound else { return .anything }
    let list = text[start...].prefix { $0 != ";" && $0 != ")" }
    return .some(
      list.split(separator: ",").map { String($0.drop { $0 == " " }) })
  }

  var shortNames: [Substring] { names.filter { !$0.hasPrefix("--") }.map { $0.dropFirst() } }
  var longNames: [Substring] { names.filter { $0.hasPrefix("--") }.map { $0.dropFirst(2) } }
}

extension String {
  /// Between apostrophes for a shell, `'` itself written as `replacement`.
  func quoted(_ replacement: String) -> String {
    "'" + replacing("'", with: replacement) + "'"
  }
}
