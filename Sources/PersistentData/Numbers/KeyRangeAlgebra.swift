/// Ranges of keys: what they have in common, and what is left of one without others.
extension ClosedRange<UInt64> {
  /// What is left without `ranges`, which lie in it, ascend and don't overlap.
  package func removing(_ ranges: [ClosedRange<UInt64>]) -> [ClosedRange<UInt64>] {
    var rest: [ClosedRange<UInt64>] = []
    var first = lowerBound
    for range in ranges {
      if range.lowerBound > first { rest.append(first...range.lowerBound - 1) }
      if range.upperBound == upperBound { return rest }
      first = range.upperBound + 1
    }
    rest.append(first...upperBound)
    return rest
  }
}

extension [ClosedRange<UInt64>] {
  /// What of these lies in any of `others`.
  package func common(with others: [ClosedRange<UInt64>]) -> [ClosedRange<UInt64>] {
    let merged = others.merged
    return flatMap { range in
      merged.filter { $0.overlaps(range) }.map { $0.clamped(to: range) }
    }
  }

  /// The same keys, ascending, each once.
  package var merged: [ClosedRange<UInt64>] {
    var merged: [ClosedRange<UInt64>] = []
    for range in sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound...Swift.max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }

  /// The same keys, ascending, in as few ranges as can be: those that touch become one.
  package var joined: [ClosedRange<UInt64>] {
    var joined: [ClosedRange<UInt64>] = []
    for range in merged {
      if let last = joined.last, last.upperBound + 1 == range.lowerBound {
        joined[joined.count - 1] = last.lowerBound...range.upperBound
      } else {
        joined.append(range)
      }
    }
    return joined
  }
}
