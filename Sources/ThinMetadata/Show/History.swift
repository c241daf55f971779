extension PoolPicture {
  /// When what devices map was written, by the pool's time, which goes up with each snapshot.
  package struct History: Sendable {
    /// The most spans of time that a picture has room for.
    private static let maxSpans = 24

    /// One past the last time.
    package let end: UInt64
    package let spanCount: Int
    /// Mappings by volume, in the pool's order, and by span. Empty for volumes that are not told
    /// apart.
    package let mappings: [[UInt64]]

    init(_ survey: SharingSurvey, time: UInt32, deviceCount: Int) {
      let end = UInt64(time) + 1
      let spanCount = Int(min(end, UInt64(History.maxSpans)))
      func span(of time: UInt32) -> Int {
        Int(min(UInt64(time), end - 1) * UInt64(spanCount) / end)
      }
      var bySet: [UInt16: [UInt64]] = [:]
      for (key, count) in survey.times where key.set != SharerSets.tooMany {
        bySet[key.set, default: Array(repeating: 0, count: spanCount)][span(of: key.time)] += count
      }
      var mappings = [[UInt64]](repeating: [], count: deviceCount)
      for (set, counts) in bySet {
        for member in survey.sets.members(Int(set)) where member < survey.others {
          let device = survey.told[member]
          if mappings[device].isEmpty { mappings[device] = counts; continue }
          for index in counts.indices { mappings[device][index] += counts[index] }
        }
      }
      self.end = end
      self.spanCount = spanCount
      self.mappings = mappings
    }

    /// The times of a span.
    package func times(_ span: Int) -> ClosedRange<UInt64> {
      let count = UInt64(spanCount)
      let first = (UInt64(span) * end + count - 1) / count
      let next = (UInt64(span + 1) * end + count - 1) / count
      return first...max(first, next - 1)
    }

    /// The span that has a time.
    package func span(of time: UInt32) -> Int {
      Int(min(UInt64(time), end - 1) * UInt64(spanCount) / end)
    }
  }
}
