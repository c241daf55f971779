internal import PersistentData

/// What one look at every mapping of a cache shows.
struct MappingSurvey: Sendable {
  /// Cache blocks that hold something.
  let mapped: Bitset
  /// Those of them whose mapping is flagged dirty itself, in metadata of version 1.
  let flagged: Bitset
  /// Cache blocks with a value that no mapping can have.
  let impossible: Bitset
  /// What is wrong with values.
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
    let blocks = visitors.flatMap(\.blocks)
    mapped = Bitset(blocks, \.mapped, of: array)
    flagged = Bitset(blocks, \.flagged, of: array)
    impossible = Bitset(blocks.filter { !$0.impossible.isEmpty }, \.impossible, of: array)
    self.faults = faults
    repeatedOrigins = origins.repeated
  }
}

/// Judges the mappings of the blocks it is given, and notes which cache blocks have one.
struct MappingVisitor: ArrayVisitor {
  /// A block of the array, with a bit for each cache block from `first` on.
  struct Block: Sendable {
    let first: UInt64
    fileprivate(set) var mapped: [UInt64] = []
    fileprivate(set) var flagged: [UInt64] = []
    /// Empty if there is none.
    fileprivate(set) var impossible: [UInt64] = []

    fileprivate mutating func noteImpossible(_ index: Int) {
      if impossible.isEmpty { impossible = Array(repeating: 0, count: mapped.count) }
      let (word, bit) = (index / UInt64.bitWidth, 1 << UInt64(index % UInt64.bitWidth) as UInt64)
      impossible[word] |= bit
      mapped[word] &= ~bit
      flagged[word] &= ~bit
    }
  }

  /// More values than a block holds.
  private static let room = 512

  private let rules: MappingRules
  private(set) var findings = Findings()
  private(set) var blocks: [Block] = []
  /// The origin blocks of mappings, where these are to be noted.
  private var origins: SeenNumbers.Batch?

  init(_ rules: MappingRules, noting origins: SeenNumbers? = nil) {
    self.rules = rules
    self.origins = origins.map(SeenNumbers.Batch.init)
  }

  /// Nearly all values are 0 or break no rule, in no order that a processor could foresee: what is
  /// done with these depends on no branch.
  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    var noted = Block(first: UInt64(place) * CacheReader.Structure.mappings.entriesPerBlock)
    var found = InlineArray<512, UInt32>(repeating: 0)
    var foundCount: UInt64 = 0
    let values: Span<UInt64> = block.stored(min(wanted, MappingVisitor.room))
    for start in stride(from: 0, to: values.count, by: UInt64.bitWidth) {
      var (mapped, flagged) = (0 as UInt64, 0 as UInt64)
      for index in start..<min(start + UInt64.bitWidth, values.count) {
        let value = UInt64(littleEndian: values[index])
        let bit = UInt64(index - start)
        mapped |= (value == 0 ? 0 : 1) << bit
        flagged |= (value / CacheMapping.dirtyFlag & 1) << bit
        found[Int(foundCount)] = UInt32(truncatingIfNeeded: value >> CacheMapping.flagBits)
        foundCount += value & CacheMapping.validFlag
      }
      noted.mapped.append(mapped)
      noted.flagged.append(flagged)
    }
    if !rules.allAreSound(values) { judge(values, of: block, &noted) }
    blocks.append(noted)
    origins?.append(found.span.extracting(0..<Int(foundCount)))
  }

  /// Reports what is wrong with values, and notes those that no mapping can have.
  private mutating func judge(
    _ values: Span<UInt64>, of block: ArrayBlock, _ noted: inout Block
  ) {
    for index in values.indices {
      let value = UInt64(littleEndian: values[index])
      if value == 0 || rules.isSound(value) { continue }
      rules.report(
        value, of: noted.first + UInt64(index), in: block.block, entry: index, into: &findings)
      if rules.isError(value) { noted.noteImpossible(index) }
    }
  }

  /// Hands on what was noted last.
  mutating func finish() { origins?.finish() }
}

extension Bitset {
  /// A bit for each entry of `array`, from the words of its blocks.
  init(
    _ blocks: [MappingVisitor.Block], _ words: KeyPath<MappingVisitor.Block, [UInt64]>,
    of array: StoredArray
  ) {
    let end = blocks.map { $0.first + UInt64($0[keyPath: words].count * UInt64.bitWidth) }.max()
    self.init(bitCount: Int(min(array.entryCount, end ?? 0)))
    for block in blocks { set(block[keyPath: words], from: block.first) }
  }
}
