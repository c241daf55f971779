import CSystem
import TestSupport
import Testing

/// What leaves are asked for several entries at once, against the same entry by entry.
@Suite struct EntriesTests {
  @Test func `keys ascend as comparing each with the next says`() {
    var random = SeededRandom()
    for count in 0...300 {
      for _ in 0..<8 {
        // Numbers of either half, and the ones where halves meet.
        let base: UInt64 = [0, 1 << 63 - 150, UInt64.max - 400].randomElement(using: &random) ?? 0
        var keys = (0..<count).map { base + UInt64($0) + (random.once(in: 40) ? 1 : 0) }
        if count > 0, random.once(in: 2) {
          keys[random.number(0..<count)] = random.number(0...UInt64.max)
        }
        let expected = zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }
        let place: Comment = "seed \(random.seed), \(count) keys"
        #expect(dmm_ascend(keys, count) == expected, place)
        #expect(dmm_ascend_plain(keys, count) == expected, place)
      }
    }
  }

  @Test func `runs end where an entry is not the one before plus a step`() {
    var random = SeededRandom()
    for count in 0...256 {
      for _ in 0..<8 {
        let step: UInt64 = random.once(in: 2) ? 1 << 24 : 1
        let interval: UInt64 = [1, 2, 5, 80].randomElement(using: &random) ?? 1
        var key: UInt64 = random.number(0...UInt64.max)
        var value = key
        var keys: [UInt64] = []
        var values: [UInt64] = []
        for _ in 0..<count {
          key &+= random.once(in: interval) ? random.number(1...2) : 1
          value &+= random.once(in: interval) ? random.number(0...step) : step
          keys.append(key)
          values.append(value)
        }
        for keys in [nil, keys] {
          var expected = [UInt64](repeating: 0, count: 4)
          for index in 0..<count {
            let next = index + 1
            if next < count, values[next] == values[index] &+ step,
              keys.map({ $0[next] == $0[index] &+ 1 }) ?? true
            {
              continue
            }
            expected[index / 64] |= 1 << UInt64(index % 64)
          }
          let place: Comment = "seed \(random.seed), \(count) entries"
          var ends = [UInt64](repeating: 0, count: 4)
          dmm_run_ends(keys, values, count, step, &ends)
          #expect(ends == expected, place)
          ends = [UInt64](repeating: 0, count: 4)
          dmm_run_ends_plain(keys, values, count, step, &ends)
          #expect(ends == expected, place)
        }
      }
    }
  }
}
