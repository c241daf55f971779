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
    if survey.faults.worst == .error || isCleanShutdown && survey.dirtyCount > 0 {
      surveyOneByOne()
    } else {
      self.survey(mapped: survey.mapped)
    }
    outcome.kept = kept.count
    outcome.dirty = dirty.count
    outcome.contested = contested.ranges
    outcome.lost = mappings.lost
    if hints == nil { return }
    outcome.hints = keptHints.count
    outcome.lostHints = kept.count - outcome.hints
  }

  /// For mappings that are all possible, and none flagged dirty itself.
  private mutating func survey(mapped: Bitset) {
    kept = Bitset(bitCount: Int(header.cacheBlockCount))
    kept.formUnion(mapped.without(contested))
    dirty = kept
    if isCleanShutdown {
      var unused = Findings()
      let bits = dirtyBitsInCore(&unused).dirty(among: kept)
      dirty = bits?.all ?? Bitset(bitCount: 0)
      outcome.takenForDirty = bits?.lost.count ?? 0
    }
  }

  /// Reads the mappings once more, and judges each by itself.
  private mutating func surveyOneByOne() {
    let contested = contested
    let count = Int(header.cacheBlockCount)
    var (kept, dirty) = (Bitset(bitCount: count), Bitset(bitCount: count))
    var impossible = Bitset(bitCount: count)
    var unused = Findings()
    let bits = dirtyBitsInCore(&unused)
    var findings = findings
    var takenForDirty = 0
    let (rules, isClean) = (rules, isCleanShutdown)
    var array = mappings
    array.forEachChunk(of: UInt64.self, findings: &unused) { chunk, _ in
      for (index, value) in chunk.values.enumerated() where value != 0 {
        let cacheBlock = chunk.first + UInt64(index)
        if contested[cacheBlock] { continue }
        if rules.isError(value) {
          impossible[cacheBlock] = true
          rules.report(value, of: cacheBlock, into: &findings)
          continue
        }
        kept[cacheBlock] = true
        let mayBeDirty =
          !isClean || bits.isDirty(cacheBlock) ?? CacheMapping(value).isDirty
        if mayBeDirty { dirty[cacheBlock] = true }
        if isClean, bits.isLost(cacheBlock) { takenForDirty += 1 }
      }
    }
    (self.kept, self.dirty, self.findings) = (kept, dirty, findings)
    outcome.takenForDirty = takenForDirty
    outcome.impossible = impossible.ranges
  }

  private func dirtyBitsInCore(_ findings: inout Findings) -> DirtyBits {
    DirtyBits(
      dirtyBits, isExpected: version > 1, count: header.cacheBlockCount, &findings)
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
