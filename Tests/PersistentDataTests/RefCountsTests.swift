import PersistentData
import Synchronization
import TestSupport
import Testing
import Threads

/// Counts in core against an array of numbers.
@Suite struct RefCountsTests {
  /// The two-bit entries as a kernel writes them, bit by bit.
  private func word(_ counts: some Collection<UInt64>) -> UInt64 {
    counts.enumerated().reduce(0) { word, next in
      let count = min(next.element, 3)
      return word | (count >> 1) << (2 * next.offset) | (count & 1) << (2 * next.offset + 1)
    }
  }

  private func expectEqual(
    _ counts: RefCounts, _ model: [UInt64], _ place: Comment
  ) {
    #expect((0..<UInt64(model.count)).map { counts[$0] } == model, place)
    for first in stride(from: 0, to: model.count, by: 32) {
      let slice = model[first..<min(first + 32, model.count)]
      #expect(counts.bitmapWord(from: UInt64(first)) == word(slice), "\(place), word \(first)")
    }
    var large: [(UInt64, UInt64)] = []
    counts.forEachLargeCount { block, count in
      large.append((block, count))
      return true
    }
    let expected = model.enumerated().filter { $0.element > 2 }
    #expect(large.map(\.0) == expected.map { UInt64($0.offset) }, place)
    #expect(large.map(\.1) == expected.map(\.element), place)
  }

  /// Counts runs the way every tool does.
  private func count(_ runs: [BlockRun], in counts: RefCounts) {
    var batch = CountBatch(counts)
    for run in runs { batch.add(run) }
    batch.flush()
  }

  @Test func `counts are what an array says, whatever is done in whatever order`() throws {
    var random = SeededRandom()
    for round in 0..<60 {
      // What takes memory together are 65,536 blocks.
      let most = random.once(in: 8) ? 140_000 : 2000 as UInt64
      let size = random.number(1...most)
      let counts = RefCounts(count: size)
      var model = [UInt64](repeating: 0, count: Int(size))
      for _ in 0..<random.number(0...400) {
        let block = random.number(0..<size)
        switch random.number(0...9) {
        case 0...2:
          counts.increment(block)
          model[Int(block)] += 1
        case 3...7:
          let runs = (0..<random.number(0...5)).map { _ in
            let begin = random.number(0..<size)
            let longest = random.once(in: 2) ? 20 : size
            return BlockRun(begin: begin, length: random.number(1...min(longest, size - begin)))
          }
          count(runs, in: counts)
          for run in runs {
            for block in run.begin..<run.begin + run.length { model[Int(block)] += 1 }
          }
        default:
          let choices: [UInt64] = [0, 1, 2, 3, 253, 254, 255, 256, 257, 1 << 33]
          let value = choices.randomElement(using: &random) ?? 0
          counts.set(block, to: value)
          model[Int(block)] = value
        }
      }
      expectEqual(counts, model, "seed \(random.seed), round \(round)")
    }
  }

  @Test func `counts go past 255 one by one and in runs, and come back`() throws {
    let counts = RefCounts(count: 100)
    var model = [UInt64](repeating: 0, count: 100)
    for round in 1...300 {
      count([BlockRun(begin: 10, length: 80), BlockRun(begin: 95, length: 3)], in: counts)
      counts.increment(40)
      for block in Array(10..<90) + Array(95..<98) + [40] { model[block] += 1 }
      if round > 250 { expectEqual(counts, model, "round \(round)") }
    }
    for block in 0..<100 {
      counts.set(UInt64(block), to: UInt64(block % 5))
      model[block] = UInt64(block % 5)
    }
    expectEqual(counts, model, "lowered")
  }

  @Test func `every count from 0 to 300 has its two bits, at every place of a word`() throws {
    let counts = RefCounts(count: 32)
    var model = [UInt64](repeating: 0, count: 32)
    for place in 0..<32 {
      for count in 0...300 as ClosedRange<UInt64> {
        counts.set(UInt64(place), to: count)
        model[place] = count
        #expect(counts.bitmapWord(from: 0) == word(model), "count \(count), place \(place)")
      }
      // The neighbours keep what they have, of every kind.
      counts.set(UInt64(place), to: UInt64(place * 37 % 300))
      model[place] = UInt64(place * 37 % 300)
    }
  }

  @Test func `a batch counts what the values it was given name`() throws {
    var random = SeededRandom()
    let size: UInt64 = 20_000
    let bits: UInt64 = 24
    let counts = RefCounts(count: size)
    var model = [UInt64](repeating: 0, count: Int(size))
    var batch = CountBatch(counts)
    for round in 0..<400 {
      var block = random.number(0..<size - 300)
      var rest: UInt64 = 7
      let values = (0..<random.number(0...252)).map { _ in
        if random.once(in: 2) { block = random.number(0..<size - 300) } else { block += 1 }
        if random.once(in: 50) { rest = random.number(0..<1 << bits) }
        return block << bits | rest
      }
      let bounds = batch.stage(values.span, above: bits, exclusiveFrom: random.number(0...9))
      #expect(bounds.highest == values.map { $0 >> bits }.max() ?? 0)
      #expect(bounds.highestRest == values.map { $0 & 0xff_ffff }.max() ?? 0)
      // What is staged and then left alone counts nothing.
      if round % 3 == 0 { continue }
      batch.addStaged()
      for value in values { model[Int(value >> bits)] += 1 }
      let run = BlockRun(begin: random.number(0..<size - 300), length: random.number(0...300))
      batch.add(run)
      for block in run.begin..<run.begin + run.length { model[Int(block)] += 1 }
    }
    batch.flush()
    expectEqual(counts, model, "seed \(random.seed)")
  }

  @Test func `an exclusive reference is told from others as long as it is watched`() throws {
    var random = SeededRandom()
    var broken = 0
    for round in 0..<400 {
      let size = random.number(40...6000) as UInt64
      let counts = RefCounts(count: size, watchingExclusive: true)
      var model = [UInt64](repeating: 0, count: Int(size))
      var exclusive: Set<UInt64> = []
      func increment(_ run: BlockRun) {
        count([run], in: counts)
        for block in run.begin..<run.begin + run.length {
          model[Int(block)] += 1
          if run.isExclusive { exclusive.insert(block) }
        }
      }
      // Counts of all sizes below, one reference above; then perhaps one that is wrong.
      let middle = size / 2
      for _ in 0..<[2, 10, 300][random.number(0..<3)] {
        let begin = random.number(0..<middle)
        increment(BlockRun(begin: begin, length: random.number(1...min(60, middle - begin))))
      }
      var next = middle
      while next < size {
        let length = random.number(1...min(70, size - next))
        if !random.once(in: 3) {
          increment(BlockRun(begin: next, length: length, isExclusive: true))
        }
        next += length
      }
      if random.once(in: 2) {
        let block = random.number(0..<size)
        increment(BlockRun(begin: block, length: 1, isExclusive: random.once(in: 2)))
      }
      let isBroken = exclusive.contains { model[Int($0)] > 1 }
      if isBroken { broken += 1 }
      let place: Comment = "seed \(random.seed), round \(round)"
      #expect(counts.endWatch() == isBroken, place)
      // From here on they are all alike.
      if random.once(in: 2) {
        increment(BlockRun(begin: 0, length: size))
        #expect(counts.endWatch() == isBroken, place)
      }
      expectEqual(counts, model, place)
    }
    // Usually there are some 90.
    #expect(broken > 20 && broken < 350, "seed \(random.seed)")
  }

  @Test func `counts far apart on a large device are what an array says`() throws {
    var random = SeededRandom()
    let size: UInt64 = 9_000_001
    let counts = RefCounts(count: size)
    var model = [UInt8](repeating: 0, count: Int(size))
    for _ in 0..<60 {
      let begin = random.number(0..<size)
      let longest: UInt64 = random.once(in: 3) ? 1_500_000 : 40
      let length = random.number(1...min(longest, size - begin))
      count([BlockRun(begin: begin, length: length)], in: counts)
      for block in begin..<begin + length { model[Int(block)] += 1 }
      let single = random.number(0..<size)
      counts.increment(single)
      model[Int(single)] += 1
    }
    let wrong = model.indices.first { counts[UInt64($0)] != UInt64(model[$0]) }
    #expect(wrong == nil, "seed \(random.seed)")
  }

  @Test func `blocks past the end count as free`() throws {
    let counts = RefCounts(count: 33)
    for block in 0..<33 as Range<UInt64> { counts.increment(block) }
    #expect(counts.bitmapWord(from: 32) == 0b10)
    #expect(counts.bitmapWord(from: 64) == 0)
    #expect(counts.bitmapWord(from: 1 << 40) == 0)
  }

  @Test func `threads that count at the same time lose nothing`() throws {
    let counts = RefCounts(count: 1000)
    Workers.run(4) {
      for _ in 0..<100 {
        self.count([BlockRun(begin: 0, length: 1000), BlockRun(begin: 500, length: 5)], in: counts)
        counts.increment(999)
      }
    }
    #expect(counts[0] == 400 && counts[500] == 800 && counts[999] == 800)
  }
  /// As many runs as wait for the thread that counts, and more. It may have nothing to do itself.
  @Test func `batches that one thread counts for the others lose nothing`() throws {
    var random = SeededRandom()
    let size: UInt64 = 3000
    for round in 1...8 {
      let threadCount = (round + 1) / 2
      let blocks = (0..<150_000).map { _ in random.number(0..<size) }
      let counts = RefCounts(count: size)
      let next = Atomic(0)
      var idle = round % 2 == 0 ? CountBatch(counts) : nil
      Workers.run(threadCount) {
        var batch = CountBatch(counts)
        while true {
          let index = next.add(1, ordering: .relaxed).oldValue
          if index >= blocks.count { break }
          batch.add(BlockRun(begin: blocks[index], length: 1))
        }
        batch.flush()
      }
      if round % 4 == 0 { idle?.flush() }
      var model = [UInt64](repeating: 0, count: Int(size))
      for block in blocks { model[Int(block)] += 1 }
      let wrong = model.indices.first { counts[UInt64($0)] != model[$0] }
      #expect(wrong == nil, "seed \(random.seed), round \(round)")
    }
  }
}
