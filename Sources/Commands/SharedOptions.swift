internal import ArgumentParser
internal import PersistentData

/// Options that every tool takes.
struct SharedOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing; the exit status tells.")
  var quiet = false

  // Accepted because scripts pass them; there is nothing they could change here.
  @Flag(name: .customShort("v"), help: .hidden) var verbosity: Int
  @Option(name: .customLong("io-engine"), help: .hidden) var ioEngine: String?

  /// Where messages for people go.
  var messages: Messages { Messages(isQuiet: quiet) }
}

/// What a tool says besides its output: on standard error, so that output stays pure.
struct Messages {
  let isQuiet: Bool

  func say(_ line: String) {
    if !isQuiet { try? ByteSink.standardError.write(line + "\n") }
  }
}
