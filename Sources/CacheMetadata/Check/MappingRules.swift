internal import PersistentData

/// Which mappings are possible: the one place where that is decided, for check, dump and repair.
struct MappingRules: Sendable {
  /// Metadata of version 2 has dirty bits elsewhere.
  private let hasDirtyFlags: Bool
  /// One past the last origin block that the discard bitset covers; `nil` when it tells nothing.
  ///
  /// It is written at a clean end only, so after a crash an origin may have grown past it.
  private let originEnd: UInt64?
  /// One past the last origin block whose last sector has a number.
  private static let originLimit: UInt64 = 1 << 44

  init(_ superblock: CacheSuperblock) {
    hasDirtyFlags = superblock.version == 1
    let covered = superblock.discardBlockCount.multipliedReportingOverflow(
      by: superblock.discardBlockSectors)
    let blockSectors = UInt64(superblock.dataBlockSectors)
    originEnd =
      covered.overflow || covered.partialValue == 0 || blockSectors == 0
      ? nil : covered.partialValue / blockSectors
  }

  /// For an array of which neither the version nor the origin is known.
  static let ofAnyVersion = MappingRules(hasDirtyFlags: true, originEnd: nil)

  private init(hasDirtyFlags: Bool, originEnd: UInt64?) {
    self.hasDirtyFlags = hasDirtyFlags
    self.originEnd = originEnd
  }

  /// The rule that the value of a cache block breaks, if any.
  func brokenRule(by value: UInt64) -> Rule? {
    let mapping = CacheMapping(value)
    guard mapping.isValid else { return value == 0 ? nil : .mappingOfUnusedBlock }
    if mapping.unknownFlags != 0 || mapping.isDirty && !hasDirtyFlags {
      return .mappingFlagsUnknown
    }
    if mapping.originBlock >= MappingRules.originLimit { return .originBlockOutOfRange }
    if let originEnd, mapping.originBlock >= originEnd { return .originBlockBeyondDiscards }
    return nil
  }

  /// Whether a value can't be that of a cache block.
  func isError(_ value: UInt64) -> Bool { brokenRule(by: value)?.severity == .error }

  /// Reports what is wrong with the value of a cache block, if anything.
  func report(
    _ value: UInt64, of cacheBlock: UInt64, in block: UInt64? = nil, entry: Int? = nil,
    into findings: inout Findings
  ) {
    guard let rule = brokenRule(by: value) else { return }
    let origin = "origin block \(CacheMapping(value).originBlock)"
    let (found, expected) =
      switch rule {
      case .mappingOfUnusedBlock: ("value \(value)", "0")
      case .originBlockOutOfRange: (origin, "below \(MappingRules.originLimit)")
      case .originBlockBeyondDiscards: (origin, "below \(originEnd ?? 0)")
      default: ("value \(value)", "")
      }
    findings.report(
      rule,
      at: CacheReader.Structure.mappings.site(
        block: block, entry: entry, keys: cacheBlock...cacheBlock),
      found: found, expected: expected)
  }
}

/// Judges the mappings of the blocks it is given, and notes which cache blocks have one.
struct MappingVisitor: ArrayVisitor {
  let rules: MappingRules
  var findings = Findings()
  /// By array block: a bit for each cache block from `first` on that has a mapping.
  private(set) var mapped: [(first: UInt64, words: [UInt64])] = []
  /// Mappings that say themselves that they are dirty, in metadata of version 1.
  private(set) var dirtyCount: UInt64 = 0

  init(rules: MappingRules) { self.rules = rules }

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    let shape = CacheReader.Structure.mappings
    let first = UInt64(place) * shape.entriesPerBlock
    var words = [UInt64](repeating: 0, count: (wanted + 63) / 64)
    let values: Span<UInt64> = block.stored(wanted)
    for index in values.indices {
      let value = UInt64(littleEndian: values[index])
      if value == 0 { continue }
      if let rule = rules.brokenRule(by: value) {
        let key = first + UInt64(index)
        rules.report(value, of: key, in: block.block, entry: index, into: &findings)
        if rule.severity == .error { continue }
      }
      if CacheMapping(value).isDirty { dirtyCount += 1 }
      words[index / 64] |= 1 << UInt64(index % 64)
    }
    mapped.append((first, words))
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
