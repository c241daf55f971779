internal import ArgumentParser

/// A tool's `--help`: what the option parser knows about the tool, laid out for people.
///
/// It parses the option parser's own text, so that nothing is declared twice; shell completions are
/// made from it, too.
struct HelpPage {
  /// An argument or an option.
  struct Row {
    /// `-o` and `--output`; empty for an argument.
    var names: [String] = []
    /// The placeholder for its value, `FILE`; `nil` if it takes none.
    var placeholder: String?
    var text = ""
  }

  let tool: String
  /// Paragraphs: what the tool does, then further remarks.
  private var overview: [String] = []
  /// Command lines.
  private(set) var usage: [String] = []
  private(set) var arguments: [Row] = []
  private(set) var options: [Row] = []

  /// The width of the page and of its left half, in columns.
  private static let width = 80
  private static let indent = 26

  init(of type: any Tool.Type, includingHidden: Bool = false) {
    tool = type._commandName
    // Wide enough that no line is broken and has to be joined again.
    read(type.helpMessage(includeHidden: includingHidden, columns: 100_000))
    usage = HelpPage.usage(of: type) ?? [derivedUsage(from: usage.joined(separator: " "))]
  }

  /// The tool's line in `dmmeta --help`.
  var summary: String { overview.first ?? "" }

  /// The whole page.
  var text: String {
    var lines: [String] = []
    for (index, paragraph) in overview.enumerated() {
      lines += HelpPage.wrap((index == 0 ? "OVERVIEW: " : "") + paragraph, indent: 0) + [""]
    }
    lines += usageLines + [""]
    for (title, rows) in [("ARGUMENTS:", arguments), ("OPTIONS:", options)] where !rows.isEmpty {
      lines += [title] + rows.flatMap(HelpPage.lines) + [""]
    }
    let statuses = ExitStatus.allCases.map { "\($0.rawValue) \($0.meaning)" }
    lines += HelpPage.wrap("EXIT STATUS: " + statuses.joined(separator: "; ") + ".", indent: 2)
    lines += ["", "'man \(tool)' tells more."]
    return lines.map { $0 + "\n" }.joined()
  }

  /// The text below an error.
  var hint: String {
    usageLines.map { $0 + "\n" }.joined() + "'\(tool) --help' and 'man \(tool)' tell more.\n"
  }

  /// A message of the option parser, with placeholders written as on this page.
  func adapted(_ message: String) -> String {
    var message = message
    for row in arguments + options {
      guard let placeholder = row.placeholder else { continue }
      message = message.replacing("<\(placeholder.lowercased())>", with: placeholder)
    }
    return message
  }

  private var usageLines: [String] {
    usage.enumerated().flatMap { index, line in
      HelpPage.wrap((index == 0 ? "USAGE: " : "       ") + line, indent: 10)
    }
  }
}

// MARK: Reading the option parser's text

extension HelpPage {
  private mutating func read(_ text: String) {
    var section = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("OVERVIEW: ") {
        overview.append(String(line.dropFirst("OVERVIEW: ".count)))
        section = "OVERVIEW:"
      } else if line.hasPrefix("USAGE: ") {
        usage.append(String(line.dropFirst("USAGE: ".count)))
        section = "USAGE:"
      } else if line == "ARGUMENTS:" || line == "OPTIONS:" {
        section = String(line)
      } else if !line.isEmpty {
        switch section {
        case "OVERVIEW:": overview.append(String(line))
        case "ARGUMENTS:": HelpPage.add(line, to: &arguments)
        case "OPTIONS:": HelpPage.add(line, to: &options)
        default: break
        }
      }
    }
  }

  /// Adds a row, or the words that didn't fit beside it.
  private static func add(_ line: Substring, to rows: inout [Row]) {
    let words = line.drop { $0 == " " }
    if words.startIndex != line.index(line.startIndex, offsetBy: min(2, line.count)) {
      if let last = rows.indices.last { rows[last].text += words }
      return
    }
    var row = Row()
    var rest = words
    while let word = rest.split(separator: " ", maxSplits: 1).first, rest.first != " " {
      if word.first == "-" {
        row.names.append(String(word.prefix { $0 != "," }))
      } else if word.first == "<" {
        row.placeholder = String(word.dropFirst().prefix { $0 != ">" }).uppercased()
      } else {
        break
      }
      rest = rest.dropFirst(word.count)
      if rest.first == " " { rest = rest.dropFirst() }
    }
    row.text = String(rest.drop { $0 == " " })
    rows.append(row)
  }

  /// The usage lines that a tool declares itself.
  private static func usage(of type: any Tool.Type) -> [String]? {
    type.configuration.usage?.split(separator: "\n").map(String.init)
  }

  /// The parser's usage line, with only the options that can't be left out.
  private func derivedUsage(from line: String) -> String {
    var words: [Substring] = []
    var rest = line.drop { $0 != " " }.dropFirst()
    while let first = rest.first {
      let isOptional = first == "["
      let part = rest.prefix { isOptional ? $0 != "]" : $0 != " " }
      rest = rest.dropFirst(part.count + (isOptional ? 1 : 0))
      rest = rest.drop { $0 == " " || $0 == "." }
      if isOptional, part.hasPrefix("[-") || part.hasPrefix("[<options>") { continue }
      words.append(isOptional ? part + "]" : part)
    }
    let plain = words.map { word in
      let name = word.filter { $0 != "<" && $0 != ">" }
      return word.contains("<") ? name.uppercased() : name
    }
    return ([tool, "[OPTION ...]"] + plain).joined(separator: " ")
  }
}

// MARK: Laying out

extension HelpPage {
  private static func lines(of row: Row) -> [String] {
    let placeholder = row.placeholder.map { [$0] } ?? []
    let names = row.names.joined(separator: ", ")
    let term = "  " + ([names].filter { !$0.isEmpty } + placeholder).joined(separator: " ")
    return lines(term, row.text)
  }

  /// Two columns: a term and its description, which goes below if the gap would be too small.
  static func lines(_ term: String, _ text: String, leastGap: Int = 2) -> [String] {
    let gap = String(repeating: " ", count: max(0, indent - term.count))
    if gap.count < leastGap {
      return [term] + wrap(String(repeating: " ", count: indent) + text, indent: indent)
    }
    return wrap(term + gap + text, indent: indent)
  }

  /// Breaks a line at blanks; all lines after the first are indented.
  private static func wrap(_ line: String, indent: Int) -> [String] {
    var lines: [String] = []
    var current = String(line.prefix { $0 == " " })
    var hasWord = false
    for word in line.split(separator: " ", omittingEmptySubsequences: false).drop(while: \.isEmpty)
    {
      if hasWord, current.count + 1 + word.count > width {
        lines.append(current)
        current = String(repeating: " ", count: indent)
        hasWord = false
      }
      current += (hasWord ? " " : "") + word
      hasWord = true
    }
    lines.append(current)
    return lines.map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
