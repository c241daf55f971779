import PersistentData
import TestSupport
import Testing

/// Ranges and runs that are put together, against the numbers that they cover.
@Suite struct JoinableTests {
  private func numbers(_ ranges: [ClosedRange<UInt64>]) -> Set<UInt64> { Set(ranges.joined()) }

  @Test func `joined ranges cover the same numbers, with gaps between them`() {
    var random = SeededRandom()
    for _ in 0..<2000 {
      let ranges = (0..<random.number(1...8)).map { _ in
        let first: UInt64 = random.number(0...60)
        return first...first + random.number(0...9)
      }
      let joined = ranges.joined as [ClosedRange<UInt64>]
      #expect(numbers(joined) == numbers(ranges), "seed \(random.seed)")
      let areApart = zip(joined, joined.dropFirst()).allSatisfy {
        $0.upperBound + 1 < $1.lowerBound
      }
      #expect(areApart, "seed \(random.seed)")
      // In whatever order they come: nothing is lost.
      var appended: [ClosedRange<UInt64>] = []
      for range in ranges { appended.appendJoining(range) }
      #expect(numbers(appended) == numbers(ranges), "seed \(random.seed)")
      var joiner = Joiner<ClosedRange<UInt64>>()
      let done = ranges.compactMap { joiner.add($0) } + [joiner.finish()].compactMap { $0 }
      #expect(done == appended && joiner.finish() == nil, "seed \(random.seed)")
    }
  }

  @Test func `half-open ranges join where they touch, and no further`() {
    var ranges: [Range<UInt64>] = []
    for range in [2..<5, 5..<7, 8..<9, 6..<8] as [Range<UInt64>] { ranges.appendJoining(range) }
    #expect(ranges == [2..<7, 8..<9, 6..<8])
  }

  @Test func `ranges at both ends of all numbers are joined`() {
    let all: [ClosedRange<UInt64>] = [5...UInt64.max, 0...4, UInt64.max...UInt64.max]
    #expect(all.joined == [0...UInt64.max])
  }
}
