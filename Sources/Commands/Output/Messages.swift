internal import PersistentData

/// A tool's messages to people: on standard error, so that output stays clean.
struct Messages {
  let isQuiet: Bool

  func say(_ line: String) {
    if !isQuiet { try? ByteSink.standardError.write(line.printable + "\n") }
  }
}

extension Messages {
  /// `calling`: leave out findings that don't call for action.
  func say(_ findings: Findings, onlyCalling calling: Bool = false) {
    for line in findings.lines(where: { !calling || $0.entry.callsForAction }, \.description) {
      say(line)
    }
  }
}
