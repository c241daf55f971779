internal import ArgumentParser

/// Options that every tool takes.
struct SharedOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing; the exit status tells.")
  var quiet = false

  // Accepted because scripts pass them; they have no effect here.
  @Flag(name: .customShort("v"), help: .hidden) var verbosity: Int
  @Option(name: .customLong("io-engine"), help: .hidden) var ioEngine: String?

  /// Where messages for people go.
  var messages: Messages { Messages(isQuiet: quiet) }
}

extension NameSpecification {
  /// The long name, and a letter that its value may follow directly: `-oFILE`.
  static func attached(_ letter: Character) -> NameSpecification {
    [.customShort(letter, allowingJoined: true), .long]
  }
}
