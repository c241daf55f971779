internal import PersistentData

/// What one look at every mapping of a cache shows.
struct MappingSurvey: Sendable {
  /// A bit for each cache block, set where it holds something.
  let mapped: Bitset
  /// Mappings that are flagged dirty themselves, in metadata of version 1.
  let dirtyCount: UInt64
  /// What is wrong with mappings.
  let faults: Findings
  /// Origin blocks that more than one cache block may hold.
  let repeatedOrigins: SeenNumbers.Repeated

  /// Reads all blocks of `array`; what is wrong with these goes to `findings`.
  init(_ array: inout StoredArray, _ rules: MappingRules, findings: inout Findings) {
    let capacity = UInt64(array.blocks.count) * array.shape.entriesPerBlock
    let origins = SeenNumbers(expecting: min(array.entryCount, capacity))
    var visitors = array.readBlocks(findings: &findings) {
      MappingVisitor(rules, noting: origins)
    }
    var faults = Findings()
    for index in visitors.indices {
      visitors[index].finish()
      faults.merge(visitors[index].findings)
    }
    mapped = Bitset(mapped: visitors, count: array.entryCount)
    dirtyCount = visitors.reduce(0) { $0 + $1.dirtyCount }
    self.faults = faults
    repeatedOrigins = origins.repeated
  }
}

/// Judges the mappings of the blocks it is given, and notes which cache blocks have one.
struct MappingVisitor: ArrayVisitor {
  /// More values than a block holds.
  private static let room = 512

  private let rules: MappingRules
  private(set) var findings = Findings()
  /// By array block: a bit for each cache block from `first` on that has a mapping.
  private(set) var mapped: [(first: UInt64, words: [UInt64])] = []
  /// Mappings that are flagged dirty themselves, in metadata of version 1.
  private(set) var dirtyCount: UInt64 = 0
  /// The origin blocks of mappings, where these are to be noted.
  private var origins: SeenNumbers.Batch?

  init(_ rules: MappingRules, noting origins: SeenNumbers? = nil) {
    self.rules = rules
    self.origins = origins.map(SeenNumbers.Batch.init)
  }

  /// Nearly all values are 0 or break no rule, in no order that a processor could foresee: what is
  /// done with these depends on no branch.
  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    let first = UInt64(place) * CacheReader.Structure.mappings.entriesPerBlock
    var words: [UInt64] = []
    var dirtyCount: UInt64 = 0
    var found = InlineArray<512, UInt32>(repeating: 0)
    var foundCount: UInt64 = 0
    let values: Span<UInt64> = block.stored(min(wanted, MappingVisitor.room))
    for start in stride(from: 0, to: values.count, by: UInt64.bitWidth) {
      var word: UInt64 = 0
      for index in start..<min(start + UInt64.bitWidth, values.count) {
        let value = UInt64(littleEndian: values[index])
        word |= (value == 0 ? 0 : 1) << UInt64(index - start)
        dirtyCount += value / CacheMapping.dirtyFlag & 1
        found[Int(foundCount)] = UInt32(truncatingIfNeeded: value >> CacheMapping.flagBits)
        foundCount += value & CacheMapping.validFlag
      }
      words.append(word)
    }
    if !rules.allAreSound(values) {
      for index in values.indices {
        let value = UInt64(littleEndian: values[index])
        guard value != 0, !rules.isSound(value) else { continue }
        guard isError(value, at: index, first + UInt64(index), block) else { continue }
        words[index / UInt64.bitWidth] &= ~(1 << UInt64(index % UInt64.bitWidth))
        dirtyCount -= value / CacheMapping.dirtyFlag & 1
      }
    }
    self.dirtyCount += dirtyCount
    mapped.append((first, words))
    origins?.append(found.span.extracting(0..<Int(foundCount)))
  }

  /// Hands on what was noted last.
  mutating func finish() { origins?.finish() }

  /// Reports what is wrong with a value, and returns whether it can't be that of a cache block.
  @inline(never) private mutating func isError(
    _ value: UInt64, at index: Int, _ cacheBlock: UInt64, _ block: ArrayBlock
  ) -> Bool {
    rules.report(value, of: cacheBlock, in: block.block, entry: index, into: &findings)
    return rules.isError(value)
  }
}

extension Bitset {
  /// A bit for each cache block, set where it holds something.
  init(mapped visitors: [MappingVisitor], count: UInt64) {
    let end = visitors.flatMap(\.mapped).map { $0.first + UInt64($0.words.count * 64) }.max() ?? 0
    self.init(bitCount: Int(min(count, end)))
    for block in visitors.flatMap(\.mapped) {
      for (index, word) in block.words.enumerated() {
        set(word, from: block.first + UInt64(index * UInt64.bitWidth))
      }
    }
  }
}
