internal import ArgumentParser

/// The options common to the checks of all targets.
struct CheckOptions: ParsableArguments {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
  }

  @Argument(help: ArgumentHelp("The metadata device or file.", valueName: "file"))
  var input: String
  @Flag(help: "Check the superblock only.") var superBlockOnly = false
  @Option(name: .attached("f"), help: "How to report.") var format = Format.text
  @Flag(help: "Let leaks pass: exit 0.") var ignoreNonFatalErrors = false
  @Flag(help: "When there is no error, mend in place what can be mended.")
  var autoRepair = false
  @Option(
    help: ArgumentHelp(
      "Before mending, keep what is overwritten in this new file.", valueName: "file"))
  var undoFile: String?
  @Option(
    help: ArgumentHelp(
      "Put back what an undo file kept; nothing is checked.", valueName: "file"))
  var undo: String?
}

/// `--clear-needs-check-flag`, for targets that have such a flag.
struct NeedsCheckOption: ParsableArguments {
  @Flag(
    name: .customLong("clear-needs-check-flag"),
    help: "The same as --auto-repair; LVM passes this one.")
  var isCleared = false
}
