/// What was found, in words for people.
extension Findings {
  /// How many findings there are of each severity; `nil` when there are only notes.
  package var amounts: String? {
    let words: [(Severity, one: String, many: String)] = [
      (.error, "error", "errors"),
      (.leak, "block leaked or counted too high", "blocks leaked or counted too high"),
      (.warning, "warning", "warnings"),
    ]
    let parts = words.compactMap { severity, one, many -> String? in
      let count = count(severity)
      return count == 0 ? nil : "\(count) \(count == 1 ? one : many)"
    }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// The result of mending `input`, and the faults that remain. `left`: what a check finds now;
  /// `nil` if no check could be made.
  package static func afterMending(_ left: Findings?, of input: String) -> String {
    guard let left else { return "'\(input)' is mended; whether any fault is left is not known." }
    guard let amounts = left.amounts else {
      return "'\(input)' is mended; a check finds nothing wrong any more."
    }
    let faults = Rule.allCases.filter { left.counts[$0] != nil && $0.severity > .note }
      .map(\.entry.fault)
    return "'\(input)' is mended as far as possible; a check still finds \(amounts): "
      + faults.joined(separator: "; ") + "."
  }
}
