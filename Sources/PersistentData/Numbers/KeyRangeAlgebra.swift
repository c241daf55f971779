/// Operations on ranges of keys: intersection, difference and union.
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
  /// The parts of these that lie in any of `others`.
  package func common(with others: [ClosedRange<UInt64>]) -> [ClosedRange<UInt64>] {
    let others = others.joined
    return flatMap { range in
      others.filter { $0.overlaps(range) }.map { $0.clamped(to: range) }
    }
  }

  /// The same keys, ascending, in as few ranges as possible.
  package var joined: [ClosedRange<UInt64>] {
    sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { $0.appendJoining($1) }
  }
}
