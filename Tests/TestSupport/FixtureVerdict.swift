import PersistentData

/// The last column of a fixture's row, in rules: `leak: 201 data blocks, note: data full`.
package struct FixtureVerdict {
  package private(set) var counts: [Rule: Int] = [:]

  private static let notes: [String: Rule] = [
    "data full": .dataFull, "metadata full": .metadataFull, "needs_check": .needsCheck,
    "metadata snapshot": .metadataSnapshotHeld, "metadata nearly full": .metadataNearlyFull,
  ]

  package init?(_ text: String) {
    for part in text.split(separator: ",").map({ $0.drop { $0 == " " } }) where part != "sound" {
      let words = part.split(separator: ":", maxSplits: 1).map { $0.drop { $0 == " " } }
      guard words.count == 2 else { return nil }
      let severity = words[0]
      let fault = words[1]
      let number = fault.prefix { $0.isNumber }
      let rule: Rule?
      switch fault.dropFirst(number.count) {
      case " data block", " data blocks": rule = .blockLeaked
      case " data ref counts too high": rule = .refCountTooHigh
      case " data ref counts too low": rule = .refCountTooLow
      case " snapshotted times too low": rule = .snapshottedTimeTooLow
      default: rule = FixtureVerdict.notes[String(fault)]
      }
      guard let rule, rule.severity.name == severity else { return nil }
      counts[rule] = Int(number) ?? 1
    }
  }
}
