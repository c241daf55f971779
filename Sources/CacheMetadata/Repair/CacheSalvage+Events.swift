internal import PersistentData

extension CacheSalvage {
  /// Says what comes back, in the order of a dump.
  package func emit<Events: CacheEvents & ~Copyable>(
    to events: inout Events
  ) throws(Events.Failure) {
    try events.begin(header)
    var unused = Findings()
    var array = mappings
    let (kept, dirty) = (kept, dirty)
    try array.forEachChunk(of: UInt64.self, findings: &unused) {
      (chunk, _) throws(Events.Failure) in
      for (index, value) in chunk.values.enumerated() where value != 0 {
        let cacheBlock = chunk.first + UInt64(index)
        guard kept[cacheBlock] else { continue }
        try events.mapping(
          CacheBlockMapping(
            cacheBlock: cacheBlock, originBlock: CacheMapping(value).originBlock,
            isDirty: dirty[cacheBlock]))
      }
    }
    try emitHints(to: &events)
    try events.end()
  }

  /// Whether there are hints to say; without a size they would be nothing.
  var hasHints: Bool { outcome.hints > 0 && header.hintSize > 0 }

  private func emitHints<Events: CacheEvents & ~Copyable>(
    to events: inout Events
  ) throws(Events.Failure) {
    guard hasHints, var hints else { return }
    try events.beginHints()
    var unused = Findings()
    let kept = kept
    try hints.forEachChunk(of: UInt32.self, findings: &unused) {
      (chunk, _) throws(Events.Failure) in
      for stretch in chunk.stretches where stretch.isKnown {
        for index in stretch.indices {
          let cacheBlock = chunk.first + UInt64(index)
          if kept[cacheBlock] { try events.hint(chunk.values[index], of: cacheBlock) }
        }
      }
    }
  }

  /// Decides which mappings come back, and which of them may be dirty.
  mutating func survey() {
    var contested = contested
    OriginBlocks(mappings).forEachDuplicate { first, next, _ in
      contested[first] = true
      contested[next] = true
    }
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
    (self.contested, self.kept, self.dirty, self.findings) = (contested, kept, dirty, findings)
    outcome.kept = kept.count
    outcome.dirty = dirty.count
    outcome.takenForDirty = takenForDirty
    outcome.impossible = impossible.ranges
    outcome.contested = contested.ranges
    outcome.lost = mappings.lost
    countHints()
  }

  private func dirtyBitsInCore(_ findings: inout Findings) -> DirtyBits {
    DirtyBits(
      dirtyBits, isExpected: version > 1, count: header.cacheBlockCount, &findings)
  }

  private mutating func countHints() {
    guard let hints else { return }
    let lost = hints.lost.reduce(into: Bitset(bitCount: Int(header.cacheBlockCount))) {
      $0.set($1)
    }
    outcome.hints = kept.without(lost).count
    outcome.lostHints = kept.count - outcome.hints
  }
}
