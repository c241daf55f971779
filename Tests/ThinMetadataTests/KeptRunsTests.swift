import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What is kept of leaves comes back as it was, and nothing else does.
@Suite struct KeptRunsTests {
  /// The mappings of a leaf, and the lowest key that they can have.
  private struct Leaf {
    let firstKey: UInt64
    let runs: [MappingRun]
    /// Whether its runs are of a kind that can be kept.
    let isOrdinary: Bool

    init(_ random: inout SeededRandom) {
      // Some end with the last key that there is.
      let isHighest = random.once(in: 8)
      var next: UInt64 = isHighest ? .max - 90_000 : random.number(0...1 << 60)
      firstKey = next
      var runs: [MappingRun] = []
      var isOrdinary = true
      for _ in 0..<random.number(0...KeptRuns.runsAtMost) {
        let gap: UInt64 = random.once(in: 3) ? random.number(0...1000) : 0
        let run = MappingRun(
          virtualBegin: next + gap, dataBegin: random.number(0...1 << 39),
          length: random.number(1...252), time: random.number(0...Mapping.timeMaximum))
        runs.append(run)
        next = run.virtualLast + 1
      }
      if isHighest, let last = runs.indices.last {
        runs[last].virtualBegin = .max - (runs[last].length - 1)
      } else if random.once(in: 16), let last = runs.indices.last {
        runs[last].virtualBegin += 1 << 23
        isOrdinary = false
      }
      self.runs = runs
      self.isOrdinary = isOrdinary
    }
  }

  @Test func `leaves on several parts come back, as many as there is room for`() {
    var random = SeededRandom()
    let capacity = 500
    var parts = (0..<3).map { _ in KeptRuns.Part(capacity: capacity) }
    var used = [0, 0, 0]
    var kept: [MetadataBlock: Leaf] = [:]
    var refused: [MetadataBlock: Leaf] = [:]
    for number in 1...150 {
      let leaf = Leaf(&random)
      let block = MetadataBlock(UInt32(number))
      let part = random.number(0..<3)
      parts[part].keep(leaf.runs[...], of: block, keysFrom: leaf.firstKey)
      let fits = leaf.isOrdinary && used[part] + leaf.runs.count <= capacity
      if fits, !leaf.runs.isEmpty {
        used[part] += leaf.runs.count
        kept[block] = leaf
      } else {
        refused[block] = leaf
      }
    }
    let runs = KeptRuns(parts, blockCount: 200)
    #expect(!runs.isEmpty && kept.count > 10 && refused.count > 20, "seed \(random.seed)")
    for (block, leaf) in kept {
      var found = [MappingRun(virtualBegin: 1, dataBegin: 2, length: 3, time: 4)]
      let before = found
      runs.append(runsOf: block, keysFrom: leaf.firstKey, to: &found)
      #expect(found == before + leaf.runs, "seed \(random.seed), \(block)")
      #expect(runs.holds(block))
    }
    for (block, leaf) in refused {
      var found: [MappingRun] = []
      runs.append(runsOf: block, keysFrom: leaf.firstKey, to: &found)
      #expect(found.isEmpty && !runs.holds(block), "seed \(random.seed), \(block)")
    }
  }

  @Test func `where nothing was kept there is nothing`() {
    for runs in [KeptRuns(), KeptRuns([KeptRuns.Part(capacity: 9)], blockCount: 9)] {
      #expect(runs.isEmpty && !runs.holds(MetadataBlock(8)))
    }
  }
}
