internal import PersistentData

extension CacheSalvage {
  /// Says what comes back, in the order of a dump.
  package func say<Events: CacheEvents & ~Copyable>(
    to events: inout Events
  ) throws(Events.Failure) {
    try events.begin(header)
    var unused = Findings()
    let bits = dirtyBitsInCore(&unused)
    let kept = kept
    var array = mappings
    try array.forEachChunk(of: UInt64.self, findings: &unused) {
      (chunk, _) throws(Events.Failure) in
      for (index, value) in chunk.values.enumerated() {
        let cacheBlock = chunk.first + UInt64(index)
        guard let value, let mapping = kept.mapping(value, of: cacheBlock) else { continue }
        try events.mapping(
          CacheBlockMapping(
            cacheBlock: cacheBlock, originBlock: mapping.originBlock,
            isDirty: kept.isDirty(mapping, cacheBlock, bits)))
      }
    }
    try sayHints(to: &events)
    try events.end()
  }

  private func sayHints<Events: CacheEvents & ~Copyable>(
    to events: inout Events
  ) throws(Events.Failure) {
    guard outcome.hints > 0, var hints else { return }
    try events.beginHints()
    var unused = Findings()
    let isKept = keptBlocks
    try hints.forEachChunk(of: UInt32.self, findings: &unused) {
      (chunk, _) throws(Events.Failure) in
      for (index, value) in chunk.values.enumerated() {
        let cacheBlock = chunk.first + UInt64(index)
        if let value, isKept[cacheBlock] { try events.hint(value, of: cacheBlock) }
      }
    }
  }

  func dirtyBitsInCore(_ findings: inout Findings) -> DirtyBits {
    DirtyBits(
      dirtyBits, isExpected: version > 1, count: header.cacheBlockCount, &findings)
  }

  private var kept: KeptMappings {
    KeptMappings(rules: rules, contested: contested, isCleanShutdown: isCleanShutdown)
  }

  /// A bit for each cache block whose mapping comes back.
  private var keptBlocks: Bitset {
    var blocks = Bitset(bitCount: Int(header.cacheBlockCount))
    var unused = Findings()
    let kept = kept
    var array = mappings
    array.forEachChunk(of: UInt64.self, findings: &unused) { chunk, _ in
      for (index, value) in chunk.values.enumerated() {
        let cacheBlock = chunk.first + UInt64(index)
        if let value, kept.mapping(value, of: cacheBlock) != nil { blocks[cacheBlock] = true }
      }
    }
    return blocks
  }

  /// Counts what will come back, and notes what will not.
  mutating func survey() {
    var found = contested
    OriginBlocks(mappings).forEachDuplicate { first, next, _ in
      found[first] = true
      found[next] = true
    }
    contested = found
    var unused = Findings()
    let bits = dirtyBitsInCore(&unused)
    var outcome = outcome
    var impossible = Bitset(bitCount: Int(header.cacheBlockCount))
    var findings = findings
    let kept = kept
    var array = mappings
    array.forEachChunk(of: UInt64.self, findings: &unused) { chunk, _ in
      for (index, value) in chunk.values.enumerated() where value ?? 0 != 0 {
        let cacheBlock = chunk.first + UInt64(index)
        guard let value, !kept.contested[cacheBlock] else { continue }
        guard let mapping = kept.mapping(value, of: cacheBlock) else {
          impossible[cacheBlock] = true
          kept.rules.report(value, of: cacheBlock, into: &findings)
          continue
        }
        outcome.kept += 1
        if kept.isDirty(mapping, cacheBlock, bits) { outcome.dirty += 1 }
        if kept.isCleanShutdown, bits.isLost(cacheBlock) { outcome.takenForDirty += 1 }
      }
    }
    self.findings = findings
    outcome.impossible = impossible.ranges
    outcome.contested = contested.ranges
    outcome.lost = mappings.lost
    self.outcome = outcome
    countHints()
  }

  private mutating func countHints() {
    guard var hints else { return }
    var unused = Findings()
    let isKept = keptBlocks
    var (count, lost) = (0, 0)
    hints.forEachChunk(of: UInt32.self, findings: &unused) { chunk, _ in
      for (index, value) in chunk.values.enumerated()
      where isKept[chunk.first + UInt64(index)] {
        if value == nil { lost += 1 } else { count += 1 }
      }
    }
    outcome.hints = count
    outcome.lostHints = lost
  }
}

/// What decides which mappings come back, and which of them are dirty: little enough to be copied.
private struct KeptMappings {
  let rules: MappingRules
  let contested: Bitset
  let isCleanShutdown: Bool

  /// A mapping that comes back.
  func mapping(_ value: UInt64, of cacheBlock: UInt64) -> CacheMapping? {
    guard value != 0, rules.fault(of: value)?.rule.severity != .error, !contested[cacheBlock]
    else { return nil }
    return CacheMapping(value)
  }

  /// Whether a mapping may be dirty, so far as it is known. `bits`: the dirty bitset, if there is
  /// one.
  func isDirty(_ mapping: CacheMapping, _ cacheBlock: UInt64, _ bits: DirtyBits) -> Bool {
    !isCleanShutdown || bits.isDirty(cacheBlock) ?? mapping.isDirty
  }
}
