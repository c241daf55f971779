internal import PersistentData

/// Reads cache metadata as far as it can be read, and decides which parts can be trusted.
struct CacheEvidence: Sendable {
  let file: BlockFile
  private(set) var superblock: CacheSuperblock
  private(set) var findings: Findings
  private(set) var outcome = CacheOutcome()
  private(set) var mappings: StoredArray
  private(set) var dirtyBits: StoredArray?
  private(set) var hints: StoredArray?
  /// Whether what was read could be the state of a cache after a clean shutdown.
  private(set) var isFlagPlausible = true

  private typealias Structure = CacheReader.Structure
  private var usage: BlockUsage
  private var counts = StoredCounts.none

  init(_ file: BlockFile, _ superblock: CacheSuperblock, _ findings: Findings) {
    self.file = file
    self.superblock = superblock
    self.findings = findings
    usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    mappings = StoredArray(Structure.mappings, entryCount: 0, blocks: [], in: file)
    _ = usage.claim(.superblock, for: Structure.superblock.structure)
    usage.references.increment(0)
  }

  /// Returns what the mappings show.
  mutating func gather() -> MappingSurvey {
    let cacheBlocks = UInt64(superblock.cacheBlockCount)
    var mappingIndex = index(Structure.mappings, superblock.mappingRoot, cacheBlocks)
    var dirtyIndex =
      superblock.version > 1
      ? index(Structure.dirtyBits, superblock.dirtyRoot, cacheBlocks) : nil
    var hintIndex =
      superblock.hintRoot != 0
      ? index(Structure.hints, superblock.hintRoot, cacheBlocks) : nil
    var discardIndex = index(
      Structure.discards, superblock.discardRoot, superblock.discardBlockCount)
    let map = StoredSpaceMap(
      Structure.metadataSpaceMap, root: superblock.metadataSpaceMap, index: .block, in: file,
      usage: &usage, findings: &findings)
    counts = StoredCounts(map)
    let indices = [mappingIndex, dirtyIndex, hintIndex, discardIndex].compactMap { $0 }
    // A map in which the trees themselves are free is out of date.
    if indices.contains(where: { $0.contradicts(counts) }) { counts = .none }
    let mappingDoubts = mappingIndex.doubts(counts, usage)
    let dirtyDoubts = dirtyIndex?.doubts(counts, usage)
    let hintDoubts = hintIndex?.doubts(counts, usage)
    let discardDoubts = discardIndex.doubts(counts, usage)
    mappingIndex.believe(mappingDoubts, &usage)
    if let dirtyDoubts { dirtyIndex?.believe(dirtyDoubts, &usage) }
    if let hintDoubts { hintIndex?.believe(hintDoubts, &usage) }
    discardIndex.believe(discardDoubts, &usage)
    dirtyBits = dirtyIndex.map { array($0) }
    hints = hintIndex.map { array($0) }
    return placeMappings(mappingIndex)
  }

  private mutating func index(
    _ shape: ArrayShape, _ root: UInt64, _ entryCount: UInt64
  ) -> ArrayIndex {
    ArrayIndex(
      shape, roots: [root], entryCount: entryCount, in: file, usage: &usage, findings: &findings)
  }

  /// The array, read once so that what is wrong with its blocks is known.
  private mutating func array(_ index: ArrayIndex) -> StoredArray {
    var array = index.array(in: file)
    array.verify(findings: &findings)
    return array
  }

  private mutating func readMappings(
    _ index: ArrayIndex, with found: [Int: MetadataBlock] = [:]
  ) -> MappingSurvey {
    mappings = index.array(with: found, in: file)
    let survey = MappingSurvey(&mappings, MappingRules(superblock), findings: &findings)
    judgeFlag(survey.mapped)
    return survey
  }

  private mutating func placeMappings(_ index: ArrayIndex) -> MappingSurvey {
    let survey = readMappings(index)
    if index.missing.isEmpty { return survey }
    let census = ArrayCensus(file, counts, usage)
    let parts = MappingParts(
      census.parts, of: index, MappingRules(superblock), knownInUse, in: file)
    let plausible = parts.plausible(among: census.parts)
    let placement = ArrayPlacement(
      index, plausible, census.leaves,
      isComplete: counts.isComplete && census.unknown.isEmpty, contents: parts)
    outcome.placedBlocks = placement.evidence
    outcome.openParts = placement.openParts.map {
      .init(block: $0.block, mappingCount: parts.count(in: $0))
    }.filter { $0.mappingCount > 0 }
    return readMappings(index, with: placement.found)
  }

  /// Cache blocks that are in use according to what a clean shutdown wrote beside the mappings:
  /// those that are dirty, and those with a hint.
  private var knownInUse: Bitset? {
    guard superblock.isCleanShutdown, isFlagPlausible else { return nil }
    var findings = Findings()
    var inUse = Bitset(bitCount: Int(mappings.entryCount))
    if var dirtyBits { inUse.formUnion(Bitset(&dirtyBits, findings: &findings)) }
    // Only this policy is known to have no hint for a block that isn't in use.
    if CacheHeader(superblock).policy == "smq", superblock.policyHintSize == 4, var hints {
      hints.forEachChunk(of: UInt32.self, findings: &findings) { chunk, _ in
        for (index, hint) in chunk.values.enumerated() where hint != 0 {
          inUse[chunk.first + UInt64(index)] = true
        }
      }
    }
    return inUse
  }

  /// After a clean shutdown no unused block is dirty. If one is, the flag, or one of the two
  /// arrays, is out of date.
  private mutating func judgeFlag(_ mapped: Bitset) {
    guard superblock.isCleanShutdown, var bits = dirtyBits else { return }
    var unused = Findings()
    let lost = mappings.lost
    Bitset(&bits, findings: &unused).without(mapped).forEachRange { range in
      let keys = range.lowerBound...range.upperBound - 1
      if !keys.removing(lost.common(with: [keys])).isEmpty { isFlagPlausible = false }
    }
  }
}
