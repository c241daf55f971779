extension Completion {
  /// A function for bash's `complete`, which also works without the package bash-completion.
  var bash: String {
    let tools = pages.map(\.tool).joined(separator: " ")
    let words = Completion.words.joined(separator: " ")
    return head("bash") + """
      _dmmeta() {
        local tool=${COMP_WORDS[0]##*/} word=${COMP_WORDS[COMP_CWORD]} before options=
        before=${COMP_WORDS[COMP_CWORD-1]}
        # --format=json is three words.
        if [[ $word == = ]]; then word=
        elif [[ $before == = && $COMP_CWORD -gt 1 ]]; then before=${COMP_WORDS[COMP_CWORD-2]}
        fi
        COMPREPLY=()
        case $tool in
          \(Completion.programs.joined(separator: "|")))
            if ((COMP_CWORD == 1)) || [[ $COMP_CWORD == 2 && $before == help ]]; then
              options="\(tools)"
              if ((COMP_CWORD == 1)); then options+=" \(words)"; fi
              compopt +o default 2> /dev/null
              COMPREPLY=($(compgen -W "$options" -- "$word"))
              return
            fi
            tool=${COMP_WORDS[1]} ;;
        esac
        case "$tool $before" in
      \(pages.map(bashValues).joined())\
        esac
        case $tool in
      \(pages.map(bashOptions).joined())\
        esac
        if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word")); fi
      }
      complete -o default -F _dmmeta \(commands)

      """
  }

  /// What follows an option: words, files (bash's default when nothing is offered), or neither.
  private func bashValues(_ page: HelpPage) -> String {
    page.options.map { row in
      let pattern = row.names.map { "\"\(page.tool) \($0)\"" }.joined(separator: " | ")
      return switch row.values {
      case .none: ""
      case .files: "    \(pattern)) return ;;\n"
      case .anything: "    \(pattern)) compopt +o default 2> /dev/null; return ;;\n"
      case .some(let values):
        "    \(pattern)) compopt +o default 2> /dev/null\n"
          + "      COMPREPLY=($(compgen -W \"\(values.joined(separator: " "))\" -- \"$word\"))\n"
          + "      return ;;\n"
      }
    }.joined()
  }

  private func bashOptions(_ page: HelpPage) -> String {
    let names = page.options.flatMap(\.names).joined(separator: " ")
    return "    \(page.tool)) options=\"\(names)\" ;;\n"
  }
}
