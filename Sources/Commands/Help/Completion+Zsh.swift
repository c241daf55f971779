extension Completion {
  /// An autoloaded function `_dmmeta` for zsh.
  var zsh: String {
    let tools = pages.map { page in
      "    " + "\(page.tool):\(page.summary)".quoted("'\\''") + "\n"
    }
    return "#compdef \(commands)\n" + head("zsh") + """

      _dmmeta_tools() {
        local -a tools=(
      \(tools.joined())\
        )
        _describe -t tools tool tools
      }

      _dmmeta_options() {
        case $1 in
      \(pages.map(zshArguments).joined())\
          *) _files ;;
        esac
      }

      _dmmeta() {
        case $service in
          \(Completion.programs.joined(separator: "|")))
            if ((CURRENT == 2)); then
              _dmmeta_tools
              compadd -- \(Completion.words.joined(separator: " "))
            elif [[ $words[2] == help ]]; then
              _dmmeta_tools
            else
              shift words
              ((CURRENT--))
              _dmmeta_options $words[1]
            fi ;;
          *) _dmmeta_options $service ;;
        esac
      }

      _dmmeta "$@"

      """
  }

  private func zshArguments(_ page: HelpPage) -> String {
    let options = page.options.map { " \\\n        " + zshSpecification($0) }.joined()
    let files = page.arguments.isEmpty ? "" : " \\\n        '*:FILE:_files'"
    return "    \(page.tool)) _arguments -s -S\(options)\(files) ;;\n"
  }

  /// `'(-f --format)'{-f+,--format=}'[words]:FORMAT:(text json)'`
  private func zshSpecification(_ row: HelpPage.Row) -> String {
    let hasValue = row.placeholder != nil
    let names = row.names.map { name in
      hasValue ? name + (name.hasPrefix("--") ? "=" : "+") : name
    }
    var words = "[" + row.text.filter { $0 != "[" && $0 != "]" } + "]"
    if let placeholder = row.placeholder {
      words += ":" + placeholder.replacing(":", with: "") + ":"
      switch row.values {
      case .none, .anything: words += " "
      case .files: words += "_files"
      case .some(let values): words += "(" + values.joined(separator: " ") + ")"
      }
    }
    let quoted = words.quoted("'\\''")
    // An option that can be repeated is still offered after its first use.
    let isRepeated = row.text.contains("can be repeated")
    if names.count == 1 { return (isRepeated ? "'*'" : "") + names.joined() + quoted }
    let head = isRepeated ? "'*'" : "'(" + row.names.joined(separator: " ") + ")'"
    return head + "{" + names.joined(separator: ",") + "}" + quoted
  }
}
