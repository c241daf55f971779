extension Findings {
  /// The most damage findings of each kind to list one by one.
  private static let maxCauses = 100
  /// If there are more than this of any other kind, they get one line.
  private static let maxAlike = 8

  /// The findings as people read them, a line each: first damaged blocks, then all other findings,
  /// which may follow from that damage; each in report order. Many alike get one line with their
  /// number, so that no flood hides its cause.
  ///
  /// `text`: words for a finding. `isTold`: which rules to include.
  package func lines(
    where isTold: (Rule) -> Bool = { _ in true }, _ text: (Finding) -> String
  ) -> [String] {
    let sorted = sorted.filter { isTold($0.rule) }
    let kept = Dictionary(grouping: sorted, by: Group.init)
    return sorted.filter(\.rule.entry.isCause).lines(text, of: self, kept)
      + sorted.filter { !$0.rule.entry.isCause }.lines(text, of: self, kept)
  }

  /// How many findings of a group get a line.
  fileprivate func shownCount(_ group: Group) -> Int {
    let count = madeCount(group)
    if group.rule.entry.isCause { return Swift.min(count, Findings.maxCauses) }
    return count > Findings.maxAlike ? 1 : count
  }
}

extension [Finding] {
  /// `kept`: the findings kept, by group. The last line of a group says how many more there are.
  fileprivate func lines(
    _ text: (Finding) -> String, of findings: Findings, _ kept: [Findings.Group: [Finding]]
  ) -> [String] {
    var told: [Findings.Group: Int] = [:]
    return compactMap { finding in
      let group = Findings.Group(finding)
      let shown = Swift.min(findings.shownCount(group), kept[group]?.count ?? 0)
      let index = told[group, default: 0]
      told[group] = index + 1
      if index >= shown { return nil }
      let rest = index + 1 == shown ? findings.madeCount(group) - shown : 0
      return text(finding) + (rest > 0 ? ", and \(rest) more like this" : "")
    }
  }
}
