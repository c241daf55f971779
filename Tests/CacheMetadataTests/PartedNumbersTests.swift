import CacheMetadata
import TestSupport
import Testing

/// Numbers that occur more than once, beside a dictionary of all.
@Suite struct PartedNumbersTests {
  @Test(arguments: [2, 100, 20_000], [1, 3] as [UInt64])
  func `each number is named as often as it comes again`(count: Int, passes: UInt64) {
    var random = SeededRandom()
    // Few enough that many come again, and none that isn't possible.
    let numbers = (0..<count).map { _ in
      PartedNumbers.number(of: random.next() % UInt64(2 * count))
    }
    var occurrences: [UInt32: Int] = [:]
    for number in numbers { occurrences[number, default: 0] += 1 }
    var expected = occurrences.filter { $0.value > 1 }.mapValues { $0 - 1 }
    for pass in 0..<passes {
      var workers = (0..<2).map { _ in
        PartedNumbers(expecting: UInt64(count), pass: pass, of: passes)
      }
      for number in numbers { workers[random.number(0..<2)].insert(number) }
      for number in PartedNumbers.repeated(in: workers) { expected[number, default: 0] -= 1 }
    }
    #expect(expected.values.allSatisfy { $0 == 0 }, "SEED=\(random.seed)")
  }

  /// Placed by their highest bits, they would all have to be passed for each other: minutes.
  @Test(.timeLimit(.minutes(1)))
  func `numbers that were chosen to lie side by side take no longer`() {
    var numbers = PartedNumbers(expecting: 1 << 23, pass: 0, of: 1)
    let starts = (0..<32).map { UInt32($0) << 27 }
    for start in starts { for number in start..<start + 1 << 17 { numbers.insert(number) } }
    for number in [starts[1] + 7, starts[3], starts[1] + 7] { numbers.insert(number) }
    #expect(
      PartedNumbers.repeated(in: [numbers]).sorted() == [starts[1] + 7, starts[1] + 7, starts[3]])
  }
}
