internal import PersistentData

/// What a tool says besides its output: on standard error, so that output stays pure.
struct Messages {
  let isQuiet: Bool

  func say(_ line: String) {
    if !isQuiet { try? ByteSink.standardError.write(line.printable + "\n") }
  }
}

extension Messages {
  /// `calling`: leave out what nobody has to do anything about.
  func say(_ findings: Findings, onlyCalling calling: Bool = false) {
    for line in findings.lines(where: { !calling || $0.entry.callsForAction }, \.description) {
      say(line)
    }
  }
}
