extension Collection where Element: CustomStringConvertible {
  /// "0, 2, 3"; if there are more than `limit`, the first ones and how many more there are.
  package func firstFew(_ limit: Int) -> String {
    let rest = count - Swift.min(count, limit)
    return prefix(limit).map(\.description).joined(separator: ", ")
      + (rest > 0 ? " and \(rest) more" : "")
  }
}

extension [UInt64] {
  /// Device ids in words: the first few, or "none".
  package var deviceIDs: String { isEmpty ? "none" : firstFew(20) }
}

extension [ClosedRange<UInt64>] {
  /// "3..40, 77, from 90 on and 4 more ranges".
  package func rangeText(atMost limit: Int) -> String {
    let shown = prefix(limit).map { range in
      if range == 0...UInt64.max { return "all" }
      if range.upperBound == .max { return "from \(range.lowerBound) on" }
      return range.lowerBound == range.upperBound
        ? "\(range.lowerBound)" : "\(range.lowerBound)..\(range.upperBound)"
    }
    let rest = count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more ranges" : "")
  }
}
