package import PersistentData

/// Everything that can be salvaged from damaged cache metadata, found but not yet written.
///
/// What is brought back is certain: the place of every mapping is known, and no other cache block
/// holds the same origin block. A cache block is dirty unless it is certain that it is not.
package struct CacheSalvage: Sendable {
  package let header: CacheHeader
  package let version: UInt32
  /// What happened to the superblock.
  package let superblockState: SuperblockState
  /// Whether the last shutdown was clean; if not, or if that isn't known, all is dirty.
  package let isCleanShutdown: Bool
  /// What is wrong with what was read.
  package internal(set) var findings: Findings
  package internal(set) var outcome = CacheOutcome()
  /// Whether every mapping comes back. Without a superblock there may have been a newer state.
  package var isWhole: Bool { outcome.losesNothing && superblockState != .remade }

  let file: BlockFile
  let rules: MappingRules
  var mappings: StoredArray
  /// `nil` where dirty bits stand in the mappings, or can't be trusted.
  var dirtyBits: StoredArray?
  var hints: StoredArray?
  /// Cache blocks that hold the same origin block as others.
  var contested = Bitset(bitCount: 0)
  /// Cache blocks whose mappings come back, and those of them that may be dirty.
  var kept = Bitset(bitCount: 0)
  var dirty = Bitset(bitCount: 0)

  /// Reads what is there; nothing is ever written to `file`.
  package init(
    _ file: BlockFile, overriding overrides: CacheOverrides = CacheOverrides()
  ) throws(CacheSalvageError) {
    let found = try FoundCacheSuperblock(file, overrides)
    let believed = BelievedCacheSuperblock(
      found.superblock, isRemade: found.state == .remade, overrides, in: file)
    var evidence = CacheEvidence(file, believed.superblock, found.findings)
    let mappingSurvey = evidence.gather()
    let superblock = evidence.superblock
    self.file = file
    superblockState = found.state
    header = CacheHeader(superblock)
    version = superblock.version
    isCleanShutdown =
      superblock.isCleanShutdown && found.isFlagKnown && evidence.isFlagPlausible
      && !believed.isCorrected
    rules = MappingRules(superblock)
    findings = evidence.findings
    outcome = evidence.outcome
    outcome.cacheBlocksBefore = believed.cacheBlocksBefore
    outcome.versionBefore = believed.versionBefore
    outcome.isRootFound = believed.isRootFound
    outcome.isFlagContradicted = superblock.isCleanShutdown && !evidence.isFlagPlausible
    mappings = evidence.mappings
    dirtyBits = isCleanShutdown ? evidence.dirtyBits : nil
    hints = isCleanShutdown ? evidence.hints : nil
    contested = Bitset(bitCount: Int(header.cacheBlockCount))
    leaveOut(whatDiffersFrom: found.others)
    survey(mappingSurvey)
  }

  /// If the newest state isn't known, only what all candidates agree on is certain.
  private mutating func leaveOut(whatDiffersFrom others: [CacheSuperblock]) {
    outcome.otherStates = others.count
    for superblock in others {
      var evidence = CacheEvidence(file, superblock, Findings())
      _ = evidence.gather()
      var (own, other) = (mappings, evidence.mappings)
      var unused = Findings()
      own.forEachChunk(of: UInt64.self, findings: &unused) { chunk, _ in
        let places = chunk.places(of: other.shape)
        let others = ArrayValues<UInt64>(&other, places, findings: &findings)
        for (index, value) in chunk.values.enumerated()
        where index >= others.values.count || value != others.values[index] {
          contested[chunk.first + UInt64(index)] = true
        }
        for stretch in others.stretches where !stretch.isKnown {
          for index in stretch.indices { contested[chunk.first + UInt64(index)] = true }
        }
      }
    }
  }
}
