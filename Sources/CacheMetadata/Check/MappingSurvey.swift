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
    (mapped, flagged, impossible) = (
      Bitset(visitors, \.mapped, of: array), Bitset(visitors, \.flagged, of: array),
      Bitset(visitors, \.impossible, of: array)
    )
    self.faults = faults
    repeatedOrigins = origins.repeated
  }
}

/// Judges the mappings of the blocks it is given, and notes which cache blocks have one.
struct MappingVisitor: ArrayVisitor {
  /// A bit for each cache block of a block of the array, from `first` on.
  struct Bits: Sendable {
    let first: UInt64
    fileprivate(set) var words: NumberScan.Words

    fileprivate var isEmpty: Bool { words.indices.allSatisfy { words[$0] == 0 } }
  }

  private let rules: MappingRules
  private(set) var findings = Findings()
  /// Cache blocks that hold something, and those whose mapping is flagged dirty.
  private(set) var mapped: [Bits] = []
  private(set) var flagged: [Bits] = []
  /// Cache blocks with a value that no mapping can have.
  private(set) var impossible: [Bits] = []
  /// The origin blocks of mappings, where these are to be noted.
  private var origins: SeenNumbers.Batch?

  init(_ rules: MappingRules, noting origins: SeenNumbers? = nil) {
    self.rules = rules
    self.origins = origins.map(SeenNumbers.Batch.init)
  }

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    let values: Span<UInt64> = block.stored(wanted)
    let scan = NumberScan(of: values, rules.form)
    let first = UInt64(place) * CacheReader.Structure.mappings.entriesPerBlock
    var (used, marked) = (scan.used, scan.marked)
    if !scan.allAreSound {
      let bad = judge(values, of: block, from: first)
      for index in bad.indices {
        used[index] &= ~bad[index]
        marked[index] &= ~bad[index]
      }
      note(bad, from: first, in: \.impossible)
    }
    note(used, from: first, in: \.mapped)
    note(marked, from: first, in: \.flagged)
    origins?.append(scan.numbers)
  }

  private mutating func note(
    _ words: NumberScan.Words, from first: UInt64, in list: WritableKeyPath<Self, [Bits]>
  ) {
    let bits = Bits(first: first, words: words)
    if !bits.isEmpty { self[keyPath: list].append(bits) }
  }

  /// Reports what is wrong with values, and returns which of them no mapping can have.
  private mutating func judge(
    _ values: Span<UInt64>, of block: ArrayBlock, from first: UInt64
  ) -> NumberScan.Words {
    var impossible = NumberScan.Words(repeating: 0)
    for index in values.indices {
      let value = UInt64(littleEndian: values[index])
      if value == 0 || rules.isSound(value) { continue }
      rules.report(
        value, of: first + UInt64(index), in: block.block, entry: index, into: &findings)
      if rules.isError(value) {
        impossible[index / UInt64.bitWidth] |= 1 << UInt64(index % UInt64.bitWidth)
      }
    }
    return impossible
  }

  /// Hands on what was noted last.
  mutating func finish() { origins?.finish() }
}

extension Bitset {
  /// A bit for each entry of `array`, from what visitors of its blocks noted; none at all if they
  /// noted nothing.
  init(
    _ visitors: [MappingVisitor], _ list: KeyPath<MappingVisitor, [MappingVisitor.Bits]>,
    of array: StoredArray
  ) {
    let capacity = UInt64(array.blocks.count) * array.shape.entriesPerBlock
    let isEmpty = visitors.allSatisfy { $0[keyPath: list].isEmpty }
    self.init(bitCount: isEmpty ? 0 : Int(min(array.entryCount, capacity)))
    for visitor in visitors {
      for bits in visitor[keyPath: list] { set(bits.words.span, from: bits.first) }
    }
  }
}
