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
      try events.mappings(chunk.values, from: chunk.first, of: kept, dirty: dirty)
    }
    try emitHints(to: &events)
    try events.end()
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
      try events.hints(chunk.values, from: chunk.first, of: kept)
    }
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
    kept = survey.mapped.without(contested)
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
    let lost = blocks.intersection(dirtyBits.lost)
    all.formUnion(lost)
    return (all, lost)
  }

  /// Cache blocks whose mapping and hint come back.
  private var keptHints: Bitset {
    guard let hints else { return Bitset(bitCount: 0) }
    return kept.without(kept.intersection(hints.lost))
  }
}
