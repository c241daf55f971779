extension Findings {
  /// Findings that are alike: of one rule, in one structure.
  struct Group: Hashable {
    let rule: Rule
    let order: Int

    init(_ finding: Finding) {
      rule = finding.rule
      order = finding.site.label.order
    }
  }
}

extension Rule {
  /// How important it is to keep such a finding when there are too many.
  fileprivate var weight: Int { 2 * severity.rawValue + (entry.isCause ? 1 : 0) }
}

/// What a check found: as many findings as a person can use, and a count of all.
///
/// Memory is bounded whatever the input: if there are too many findings, the gravest are kept.
package struct Findings: Sendable {
  /// More than anybody reads, little enough to keep.
  package static let kept = 1_000
  /// Kept of each kind, even if graver ones exceed the limit.
  private static let keptAlike = 16

  private var items: [Finding] = []
  /// How often each rule was found broken, whether kept or not.
  package private(set) var counts: [Rule: Int] = [:]
  /// How many findings were made of each group, whether kept or not. One finding may cover many
  /// blocks.
  private var made: [Group: Int] = [:]

  package init() {}

  package mutating func report(
    _ rule: Rule, at site: Site, found: Evidence = .none, expected: Evidence = .none,
    times: Int = 1
  ) {
    add(Finding(rule, at: site, found: found, expected: expected), times: times)
  }

  package mutating func report(
    _ rule: Rule, at site: Site, found: UInt64, expected: UInt64
  ) {
    report(rule, at: site, found: .exactly(found), expected: .exactly(expected))
  }

  /// `times`: how many blocks or entries the finding covers.
  package mutating func add(_ finding: Finding, times: Int = 1) {
    counts[finding.rule, default: 0] += times
    made[Group(finding), default: 0] += 1
    items.append(finding)
    if items.count >= 2 * Findings.kept { trim() }
  }

  /// Adds what another worker found.
  package mutating func merge(_ other: Findings) {
    counts.merge(other.counts, uniquingKeysWith: +)
    made.merge(other.made, uniquingKeysWith: +)
    items += other.items
    if items.count >= 2 * Findings.kept { trim() }
  }

  /// The findings that were kept, in report order.
  package var sorted: [Finding] { items.sorted() }

  /// All findings that were made, whether kept or not.
  package var madeCount: Int { made.values.reduce(0, +) }

  /// Likewise, for one group.
  func madeCount(_ group: Group) -> Int { made[group, default: 0] }

  package var isEmpty: Bool { counts.isEmpty }

  /// The gravest severity of all that was found.
  package var worst: Severity? { counts.keys.map(\.severity).max() }

  package func count(_ severity: Severity) -> Int {
    counts.reduce(0) { $0 + ($1.key.severity == severity ? $1.value : 0) }
  }

  /// Drops all findings of one severity; returns how many there were.
  package mutating func drop(_ severity: Severity) -> Int {
    let dropped = count(severity)
    items.removeAll { $0.rule.severity == severity }
    counts = counts.filter { $0.key.severity != severity }
    made = made.filter { $0.key.rule.severity != severity }
    return dropped
  }

  /// Whether anything was found that somebody has to act on.
  package var callForAction: Bool { counts.keys.contains { $0.entry.callsForAction } }

  /// Whether anything was found that can be mended in place.
  package var hasMendable: Bool { counts.keys.contains { $0.entry.isMendable } }

  private mutating func trim() {
    // The gravest first, so that a flood of leaks never hides an error, and a flood of consequences
    // never their cause; a few of every kind.
    items.sort { ($1.rule.weight, $0) < ($0.rule.weight, $1) }
    var ranks: [Group: Int] = [:]
    var rest = Findings.kept
    items = items.filter { finding in
      let rank = ranks[Group(finding), default: 0]
      ranks[Group(finding)] = rank + 1
      rest -= 1
      return rank < Findings.keptAlike || rest >= 0
    }
  }
}
