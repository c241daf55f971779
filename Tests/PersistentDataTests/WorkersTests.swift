import PersistentData
import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct WorkersTests {
  private struct Stop: Error, Equatable {
    let at: Int
  }

  @Test func `each of so many workers runs once, and all are done at the end`() {
    for count in [1, 2, 3, 16] {
      let runs = Atomic(0)
      Workers.run(count) {
        // The ones that start last must be waited for as well.
        for _ in 0..<10_000 { _ = Atomic(0).load(ordering: .relaxed) }
        runs.add(1, ordering: .relaxed)
      }
      #expect(runs.load(ordering: .relaxed) == count)
    }
  }

  @Test func `each gets its turn, one after the other, until turns end`() {
    let turns = Turns()
    let order = Mutex<[Int]>([])
    let next = Atomic(0)
    let refused = Atomic(0)
    Workers.run(4) {
      while true {
        let turn = next.add(1, ordering: .relaxed).oldValue
        guard turns.wait(for: turn) else {
          refused.add(1, ordering: .relaxed)
          return
        }
        order.withLock { $0.append(turn) }
        if turn == 999 { turns.end() } else { turns.pass() }
      }
    }
    #expect(order.withLock { $0 } == Array(0..<1000))
    #expect(refused.load(ordering: .relaxed) == 4)
  }

  @Test func `an error of the main thread comes out after the helpers are done`() {
    let runs = Atomic(0)
    #expect(throws: Stop(at: 1)) {
      try Workers.run(helpers: 3) {
        runs.add(1, ordering: .relaxed)
      } main: { () throws(Stop) -> Void in
        throw Stop(at: 1)
      }
    }
    #expect(runs.load(ordering: .relaxed) == 3)
  }

  private func pipeline(_ depth: Int) -> OrderedPipeline<Int, Int, Int> {
    OrderedPipeline(depth: depth, makeContext: { 0 }) { context, job in
      // Some jobs take a hundred times as long as others.
      var value = UInt64(job)
      for _ in 0..<(job % 7 == 0 ? 20_000 : 200) { value = value &* 0x9E37_79B9 ^ value >> 7 }
      context += value == 1 ? 1 : 0
      return job * 2
    }
  }

  @Test(arguments: [1, 2, 3, 6, 100])
  func `results come in the order of the jobs, however long each takes`(depth: Int) throws {
    for count in [0, 1, 2, 5, 300] {
      var next = 0
      var results: [Int] = []
      pipeline(depth).run {
        guard next < count else { return nil }
        // No more jobs are made than may be under way.
        #expect(next - results.count < depth)
        next += 1
        return next - 1
      } consume: {
        results.append($0)
      }
      #expect(results == (0..<count).map { $0 * 2 })
    }
  }

  @Test(.timeLimit(.minutes(10)), arguments: [1, 2, 6, 100])
  func `a consumer that throws ends the work, and nothing hangs`(depth: Int) throws {
    for last in [0, 1, 5, 50] {
      var next = 0
      var results = 0
      #expect(throws: Stop(at: last)) {
        try pipeline(depth).run {
          next += 1
          return next - 1
        } consume: { (_) throws(Stop) in
          if results == last { throw Stop(at: last) }
          results += 1
        }
      }
      #expect(results == last)
      #expect(next <= last + depth)
    }
  }
}

@Suite struct FindingsTests {
  private func leak(_ block: UInt64) -> Finding {
    Finding(.blockLeaked, at: Site("map", keys: block...block))
  }

  @Test func `of too many findings the gravest are kept and all are counted`() {
    var findings = Findings()
    for block in 0..<5000 as Range<UInt64> {
      findings.add(leak(block))
      if block % 1000 == 999 {
        findings.report(.keysNotAscending, at: Site("tree", block: block))
        findings.report(.nodeUnderfull, at: Site("tree", block: block))
      }
    }
    #expect(findings.counts == [.blockLeaked: 5000, .keysNotAscending: 5, .nodeUnderfull: 5])
    #expect(findings.sorted.filter { $0.rule == .keysNotAscending }.count == 5)
    #expect(findings.sorted.count < 2 * Findings.kept)
    #expect(findings.worst == .error)
    #expect(findings.count(.leak) == 5000)
  }

  @Test func `the order of a report does not depend on who found what first`() {
    var random = SeededRandom()
    let all = (0..<200 as Range<UInt64>).map { _ in
      Finding(
        Rule.allCases.randomElement(using: &random) ?? .needsCheck,
        at: Site(
          "place", order: random.number(0...3), device: random.number(0...2),
          block: random.number(0...5), entry: random.number(0...5)),
        found: "\(random.number(0...3))")
    }
    var reports: [[String]] = []
    for _ in 0..<5 {
      var parts = [Findings(), Findings(), Findings()]
      for finding in all.shuffled(using: &random) { parts[random.number(0...2)].add(finding) }
      var merged = Findings()
      for part in parts.shuffled(using: &random) { merged.merge(part) }
      reports.append(merged.sorted.map(\.description))
    }
    #expect(Set(reports).count == 1, "seed \(random.seed)")
  }

  @Test func `a finding reads from large to small, with its evidence`() {
    let site = Site(
      "mapping tree", order: 4, device: 7, block: 1234, entry: 17, keys: 40...41)
    #expect(
      Finding(.keysNotAscending, at: site, found: "40", expected: "> 41").description
        == "error: mapping tree, device 7, block 1234, entry 17, keys 40..41: keys do not ascend"
        + " (found 40, expected > 41)")
    #expect(
      leak(9).description == "leak: map, key 9: allocated, but nothing uses it")
  }

  @Test func `evidence says its number, and the least and the greatest that it can be`() {
    let count: UInt64 = 7
    let found: Evidence = "count \(count)"
    #expect(found.words == "count 7" && found.number == 7)
    #expect(("block \(count) of \(count + 1)" as Evidence).number == nil)
    #expect(("bits \(-1)" as Evidence).number == nil)
    #expect(Evidence(words: "a leaf").number == nil && Evidence.none.isEmpty)
    let cases: [(Evidence, String, UInt64?, UInt64?)] = [
      (.exactly(count), "7", 7, 7), (.atMost(count), "at most 7", nil, 7),
      (.atLeast(count), "at least 7", 7, nil), (.below(count), "below 7", nil, 6),
      (.below(0), "below 0", nil, nil), (.above(count), "> 7", 8, nil),
      (.above(.max), "> \(UInt64.max)", nil, nil),
      (.multiple(of: 8, atMost: 64), "a multiple of 8, at most 64", 8, 64),
    ]
    for (evidence, words, min, max) in cases {
      #expect(evidence.words == words && evidence.min == min && evidence.max == max)
    }
  }

  @Test func `every rule has a fault of its own, and only what is harmless can be mended`() {
    #expect(Set(Rule.allCases.map(\.entry.fault)).count == Rule.allCases.count)
    for rule in Rule.allCases where rule.entry.isMendable { #expect(rule.severity < .error) }
  }
}
