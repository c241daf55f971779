internal import PersistentData

extension CacheSalvage {
  /// Emits what comes back, in the order of a dump.
  package func emit<Events: CacheEvents & ~Copyable>(
    to events: inout Events
  ) throws(Events.Failure) {
    try events.begin(header)
    var unused = Findings()
    var array = mappings
    let (kept, dirty) = (kept, dirty)
    try array.forEachChunk(of: UInt64.self, findings: &unused) {
      (chunk, _) throws(Events.Failure) in
      try events.mappings(
        CacheSalvage.values(chunk, keeping: kept, dirty: dirty), from: chunk.first)
    }
    try emitHints(to: &events)
    try events.end()
  }

  /// Mappings as metadata of version 1 stores them, those that don't come back left out.
  private static func values(
    _ chunk: ArrayValues<UInt64>, keeping kept: Bitset, dirty: Bitset
  ) -> [UInt64] {
    var values = chunk.values
    var span = values.mutableSpan
    for start in stride(from: 0, to: span.count, by: UInt64.bitWidth) {
      let first = chunk.first + UInt64(start)
      let (keptBits, dirtyBits) = (kept.bits(from: first), dirty.bits(from: first))
      for index in start..<min(start + UInt64.bitWidth, span.count) {
        let bit = UInt64(index - start)
        let value = span[index] & ~CacheMapping.flags | CacheMapping.validFlag
        let flag = (dirtyBits >> bit & 1) * CacheMapping.dirtyFlag
        span[index] = (value | flag) * (keptBits >> bit & 1)
      }
    }
    return values
  }

  /// Whether there are hints to emit; without a size there are none.
  var hasHints: Bool { outcome.hints > 0 && header.hintSize > 0 }

  private func emitHints<Events: CacheEvents & ~Copyable>(
    to events: inout Events
  ) throws(Events.Failure) {
    guard hasHints, var hints else { return }
    try events.beginHints()
    var unused = Findings()
    let kept = keptHints
    try hints.forEachChunk(of: UInt32.self, findings: &unused) {
      (chunk, _) throws(Events.Failure) in
      try events.hints(
        CacheSalvage.hints(chunk, keeping: kept), from: chunk.first, of: kept)
    }
  }

  /// Hints, 0 where they don't come back.
  private static func hints(_ chunk: ArrayValues<UInt32>, keeping kept: Bitset) -> [UInt32] {
    var hints = chunk.values
    var span = hints.mutableSpan
    for start in stride(from: 0, to: span.count, by: UInt64.bitWidth) {
      let bits = kept.bits(from: chunk.first + UInt64(start))
      for index in start..<min(start + UInt64.bitWidth, span.count) {
        span[index] *= UInt32(truncatingIfNeeded: bits >> UInt64(index - start) & 1)
      }
    }
    return hints
  }

  /// Decides which mappings come back, and which of them may be dirty.
  mutating func survey(_ survey: MappingSurvey) {
    var contested = contested
    OriginBlocks(mappings, survey.repeatedOrigins).forEachDuplicate { first, next, _ in
      contested[first] = true
      contested[next] = true
    }
    self.contested = contested
    findings.merge(survey.faults)
    outcome.impossible = survey.impossible.without(contested).ranges
    kept = Bitset(bitCount: Int(header.cacheBlockCount))
    kept.formUnion(survey.mapped.without(contested))
    dirty = kept
    if isCleanShutdown {
      let marked = markedDirty(among: kept)
      dirty = marked?.all ?? kept.intersection(survey.flagged)
      outcome.takenForDirty = marked?.lost.count ?? 0
    }
    outcome.kept = kept.count
    outcome.dirty = dirty.count
    outcome.contested = contested.ranges
    outcome.lost = mappings.lost
    if hints == nil { return }
    outcome.hints = keptHints.count
    outcome.lostHints = kept.count - outcome.hints
  }

  /// Those of some cache blocks that the dirty bitset says are dirty, and those whose bit is lost,
  /// which count as dirty; `nil` where dirty bits stand in the mappings.
  private func markedDirty(among blocks: Bitset) -> (all: Bitset, lost: Bitset)? {
    if version == 1 { return nil }
    guard var dirtyBits else { return (blocks, blocks) }
    var unused = Findings()
    var all = blocks.intersection(Bitset(&dirtyBits, findings: &unused))
    var lost = Bitset(bitCount: Int(header.cacheBlockCount))
    for range in dirtyBits.lost { lost.set(range) }
    lost = lost.intersection(blocks)
    all.formUnion(lost)
    return (all, lost)
  }

  /// Cache blocks whose mapping and hint come back.
  private var keptHints: Bitset {
    guard let hints else { return Bitset(bitCount: 0) }
    let lost = hints.lost.reduce(into: Bitset(bitCount: Int(header.cacheBlockCount))) {
      $0.set($1)
    }
    return kept.without(lost)
  }
}
