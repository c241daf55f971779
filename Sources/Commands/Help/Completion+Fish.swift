extension Completion {
  /// Calls of fish's `complete`, in a file that fish finds by a command's name.
  var fish: String {
    let programs = Completion.programs.map { "-c \($0)" }.joined(separator: " ")
    let first = "-n '__dmmeta_tool_is ; or __dmmeta_tool_is help'"
    var lines = pages.map { page in
      "complete \(programs) \(first) -f -a \(page.tool) -d \(page.summary.quoted("\\'"))"
    }
    lines += Completion.words.map { word in
      "complete \(programs) -n '__dmmeta_tool_is ' -f -a \(word.quoted("\\'"))"
    }
    for page in pages {
      for row in page.options {
        let option = fishOption(row)
        lines.append("complete -c \(page.tool) \(option)")
        lines.append("complete \(programs) -n '__dmmeta_tool_is \(page.tool)' \(option)")
      }
    }
    return head("fish") + """
      function __dmmeta_tool_is
        set -l words (commandline -opc)
        test "$words[2]" = "$argv[1]"
      end

      """ + lines.map { $0 + "\n" }.joined()
  }

  private func fishOption(_ row: HelpPage.Row) -> String {
    var words = row.longNames.map { "-l \($0)" } + row.shortNames.map { "-s \($0)" }
    switch row.values {
    case .none: break
    case .files: words.append("-r")
    case .anything: words.append("-x")
    case .some(let values): words.append("-x -a \(values.joined(separator: " ").quoted("\\'"))")
    }
    return (words + ["-d \(row.text.quoted("\\'"))"]).joined(separator: " ")
  }
}
