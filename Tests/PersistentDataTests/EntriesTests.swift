import CSystem
import PersistentData
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
        let matters: UInt64 = random.once(in: 2) ? .max : .max << 24
        for keys in [nil, keys] {
          var expected = [UInt64](repeating: 0, count: 4)
          for index in 0..<count {
            let next = index + 1
            if next < count, (values[next] ^ (values[index] &+ step)) & matters == 0,
              keys.map({ $0[next] == $0[index] &+ 1 }) ?? true
            {
              continue
            }
            expected[index / 64] |= 1 << UInt64(index % 64)
          }
          let place: Comment = "seed \(random.seed), \(count) entries"
          var ends = [UInt64](repeating: 0, count: 4)
          dmm_run_ends(keys, values, count, step, matters, &ends)
          #expect(ends == expected, place)
          ends = [UInt64](repeating: 0, count: 4)
          dmm_run_ends_plain(keys, values, count, step, matters, &ends)
          #expect(ends == expected, place)
        }
      }
    }
  }

  @Test func `a survey finds the values looked for, and the highest there are`() {
    var random = SeededRandom()
    for count in 0...256 {
      for _ in 0..<8 {
        let first: UInt64 = random.once(in: 4) ? 0 : random.number(0...UInt64.max)
        let size: UInt64 = random.once(in: 4) ? .max : random.number(0...1 << 40)
        let rest: UInt64 = random.once(in: 2) ? 0xFF_FFFF : 0
        let values: [UInt64] = (0..<count).map { _ in
          random.once(in: 2) ? random.number(0...UInt64.max) : first &+ random.number(0...1 << 40)
        }
        var expected = [UInt64](repeating: 0, count: 4)
        for (index, value) in values.enumerated() where value &- first < size {
          expected[index / 64] |= 1 << UInt64(index % 64)
        }
        let place: Comment = "seed \(random.seed), \(count) entries"
        for look in [dmm_survey, dmm_survey_plain] {
          var survey = dmm_survey()
          look(values, count, first, size, rest, &survey)
          let hits = [survey.hits.0, survey.hits.1, survey.hits.2, survey.hits.3]
          #expect(hits == expected, place)
          #expect(survey.highest == values.max() ?? 0, place)
          #expect(survey.highest_rest == values.map { $0 & rest }.max() ?? 0, place)
        }
      }
    }
  }

  @Test func `values that are large enough are found`() {
    var random = SeededRandom()
    for count in 0...300 {
      for _ in 0..<4 {
        let least: UInt32 =
          random.once(in: 4) ? random.number(0...1) : random.number(0...UInt32.max)
        let values: [UInt32] = (0..<count).map { _ in
          random.once(in: 2)
            ? random.number(0...UInt32.max) : least &- 1 &+ random.number(0..<3 as Range<UInt32>)
        }
        var expected = [UInt64](repeating: 0, count: 5)
        for (index, value) in values.enumerated() where value >= least {
          expected[index / 64] |= 1 << UInt64(index % 64)
        }
        for look in [dmm_at_least, dmm_at_least_plain] {
          var bits = [UInt64](repeating: 0, count: 5)
          look(values, count, least, &bits)
          #expect(bits == expected, "seed \(random.seed), \(count) entries, \(least)")
        }
      }
    }
  }

  @Test func `the highest value is found`() {
    var random = SeededRandom()
    for count in 0...300 {
      let limit: UInt32 = random.number(0...UInt32.max)
      let values: [UInt32] = (0..<count).map { _ in random.number(0...limit) }
      for highest in [dmm_highest, dmm_highest_plain] {
        #expect(
          highest(values, count) == values.max() ?? 0, "seed \(random.seed), \(count) entries")
      }
    }
  }

  @Test func `numbers above flags are gathered, and values that are not sound noticed`() {
    var random = SeededRandom()
    for count in 0...300 {
      let form = dmm_form(
        shift: 16, valid: 1, marked: 2, flags: random.once(in: 2) ? 0xFFFF : 0xFFFD,
        end: random.once(in: 4) ? .max : random.number(0...UInt64(1) << 60))
      let isSpoilt = random.once(in: 2)
      let values: [UInt64] = (0..<count).map { _ in
        if isSpoilt, random.once(in: 20) { return random.number(0...UInt64.max) }
        let value = min(form.end &- 1, random.number(0...UInt64(1) << 60)) & ~0xFFFF | 1
        return random.once(in: 3) || value >= form.end ? 0 : value
      }
      let place: Comment = "seed \(random.seed), \(count) entries"
      var (used, marked) = ([UInt64](repeating: 0, count: 5), [UInt64](repeating: 0, count: 5))
      for (index, value) in values.enumerated() {
        if value != 0 { used[index / 64] |= 1 << UInt64(index % 64) }
        if value & 2 != 0 { marked[index / 64] |= 1 << UInt64(index % 64) }
      }
      let numbers = values.filter { $0 & 1 == 1 }.map { UInt32(truncatingIfNeeded: $0 >> 16) }
      let areSound = values.allSatisfy {
        $0 == 0 || ($0 & form.flags == 1 && $0 < form.end)
      }
      for look in [dmm_numbers, dmm_numbers_plain] {
        var (foundUsed, foundMarked) = (
          [UInt64](repeating: 0, count: 5), [UInt64](repeating: 0, count: 5)
        )
        var found = [UInt32](repeating: 0, count: count + 4)
        var foundCount = 0
        let result = look(values, count, form, &foundUsed, &foundMarked, &found, &foundCount)
        #expect(result == areSound, place)
        #expect(foundUsed == used && foundMarked == marked, place)
        #expect(Array(found.prefix(foundCount)) == numbers, place)
      }
    }
  }

  @Test func `values are kept or become 0`() {
    var random = SeededRandom()
    for count in 0...64 {
      let kept: UInt64 = random.number(0...UInt64.max)
      let place: Comment = "seed \(random.seed), \(count) values, \(kept)"
      let values: [UInt64] = (0..<count).map { _ in random.number(0...UInt64.max) }
      let (mask, flags) = (random.number(0...UInt64.max), 1 as UInt64)
      for keep in [dmm_keep, dmm_keep_plain] {
        var rest = values
        keep(&rest, count, kept, mask, flags)
        #expect(
          rest.indices.allSatisfy {
            rest[$0] == (kept >> UInt64($0) & 1 == 1 ? values[$0] & mask | flags : 0)
          }, place)
      }
      let short = values.map { UInt32(truncatingIfNeeded: $0) }
      for keep in [dmm_keep_short, dmm_keep_short_plain] {
        var rest = short
        keep(&rest, count, kept)
        #expect(
          rest.indices.allSatisfy { rest[$0] == (kept >> UInt64($0) & 1 == 1 ? short[$0] : 0) },
          place)
      }
    }
  }

  @Test func `each entry is found in its run, and hits one after the other`() {
    var random = SeededRandom()
    for count in 1...256 {
      let interval: UInt64 = [1, 2, 5, 80, 1000].randomElement(using: &random) ?? 1
      var block: UInt64 = 1000
      let blocks: [UInt64] = (0..<count).map { _ in
        block += random.once(in: interval) ? 2 : 1
        return block
      }
      let values = blocks.map { $0 << 24 | random.number(0..<100) }
      let place: Comment = "seed \(random.seed), \(count) entries"
      var runs: [Range<Int>] = []
      for index in 0..<count {
        if let last = runs.last, blocks[index] == blocks[index - 1] + 1 {
          runs[runs.count - 1] = last.lowerBound..<index + 1
        } else {
          runs.append(index..<index + 1)
        }
      }
      let ends = RunEnds(of: values.span, step: 1 << 24, mattering: .max << 24)
      #expect(runs.flatMap { run in run.map { _ in run } } == (0..<count).map(ends.run), place)

      let wanted = random.number(1000...1100)..<random.number(1100...1300) as Range<UInt64>
      let survey = ValueSurvey(of: values.span, above: 24, for: wanted)
      #expect(survey.highestBlock == block, place)
      for index in 0...count {
        let hit = (index..<count).first { wanted.contains(blocks[$0]) }
        #expect(survey.firstHit(from: index) == hit, place)
      }
    }
  }
}
