/// Command-line completion for shells.
///
/// A shell's script knows all tools, called by `dmmeta TOOL` or by links with their names.
struct Completion {
  enum ShellKind: String, CaseIterable {
    case bash, zsh, fish
  }

  let pages: [HelpPage]
  /// Names of the program that take a tool as their first word.
  static let programs = ["dmmeta", "pdata_tools"]
  /// First words that aren't tools.
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
  /// In single quotes for a shell, with `'` itself written as `replacement`.
  func quoted(_ replacement: String) -> String {
    "'" + replacing("'", with: replacement) + "'"
  }
}
