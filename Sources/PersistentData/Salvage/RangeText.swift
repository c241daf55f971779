extension [ClosedRange<UInt64>] {
  /// "3, 7..12 and 4 more ranges".
  package func rangeText(atMost most: Int) -> String {
    let shown = prefix(most).map { range in
      range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)..\(range.upperBound)"
    }
    let rest = count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more ranges" : "")
  }
}
