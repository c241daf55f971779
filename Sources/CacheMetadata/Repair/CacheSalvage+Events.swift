internal import PersistentData

extension CacheSalvage {
  /// Says what comes back, in the order of a dump.
  package func say<Events: CacheEvents & ~Copyable>(
    to events: inout Events
  ) throws(Events.Failure) {
    try events.begin(header)
    var unused = Findings()
    let bits = dirtyBitsInCore(&unused)
    var array = mappings
    try array.forEachChunk(of: UInt64.self, findings: &unused) {
      (chunk, _) throws(Events.Failure) in
      for (index, value) in chunk.values.enumerated() {
        let cacheBlock = chunk.first + UInt64(index)
        guard let value, let mapping = mapping(value, of: cacheBlock) else { continue }
        try events.mapping(
          CacheBlockMapping(
            cacheBlock: cacheBlock, originBlock: mapping.originBlock,
            isDirty: isDirty(mapping, cacheBlock, bits)))
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

  /// A mapping that comes back.
  private func mapping(_ value: UInt64, of cacheBlock: UInt64) -> CacheMapping? {
    guard value != 0, rules.fault(of: value)?.rule.severity != .error, !contested[cacheBlock]
    else { return nil }
    return CacheMapping(value)
  }

  /// A bit for each cache block whose mapping comes back.
  private var keptBlocks: Bitset {
    var kept = Bitset(bitCount: Int(header.cacheBlockCount))
    var unused = Findings()
    var array = mappings
    array.forEachChunk(of: UInt64.self, findings: &unused) { chunk, _ in
      for (index, value) in chunk.values.enumerated() {
        let cacheBlock = chunk.first + UInt64(index)
        if let value, mapping(value, of: cacheBlock) != nil { kept[cacheBlock] = true }
      }
    }
    return kept
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
    var array = mappings
    array.forEachChunk(of: UInt64.self, findings: &unused) { chunk, _ in
      for (index, value) in chunk.values.enumerated() where value ?? 0 != 0 {
        let cacheBlock = chunk.first + UInt64(index)
        guard let value, !contested[cacheBlock] else { continue }
        guard let mapping = mapping(value, of: cacheBlock) else {
          impossible[cacheBlock] = true
          rules.report(value, of: cacheBlock, into: &findings)
          continue
        }
        outcome.kept += 1
        if isDirty(mapping, cacheBlock, bits) { outcome.dirty += 1 }
        if isCleanShutdown, bits.isLost(cacheBlock) { outcome.takenForDirty += 1 }
      }
    }
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
