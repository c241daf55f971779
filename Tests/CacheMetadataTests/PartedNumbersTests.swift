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
}
