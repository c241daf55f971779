package import PersistentData

/// What a check of cache metadata found.
package struct CacheCheck: Sendable {
  package private(set) var findings: Findings
  /// `nil` when there is no superblock to speak of.
  package private(set) var superblock: CacheSuperblock?
  /// Whole blocks on the device.
  package let blockCount: UInt64
  /// Cache blocks of which it can't be told what they hold, ascending.
  package private(set) var lostMappings: [ClosedRange<UInt64>] = []
  /// Cache blocks of which it can't be told whether they are dirty, ascending.
  package private(set) var lostDirtyBits: [ClosedRange<UInt64>] = []
  /// What can be mended in place; `nil` unless everything was looked at.
  package private(set) var mend: MendPlan<CacheSuperblock>?

  /// Checks the metadata in `file` and says all that is wrong with it.
  package init(of file: BlockFile, _ scope: CacheScope = CacheScope()) {
    findings = Findings()
    blockCount = file.blockCount
    let site = CacheReader.Structure.superblock
    guard let superblock = CacheSuperblock.read(.superblock, of: file, at: site, into: &findings)
    else { return }
    self.superblock = superblock
    superblock.check(home: .superblock, at: site, into: &findings)
    superblock.checkAgainstDevice(file, into: &findings)
    if scope.superblockOnly { return }

    var reader = CacheReader(file, superblock, scope, findings: findings)
    reader.checkMappings()
    reader.checkValues()
    lostMappings = reader.mappings?.lost ?? []
    lostDirtyBits = reader.dirtyBits?.lost ?? []
    if scope.isComplete { mend = reader.checkSpaceMap() }
    findings = reader.findings
  }
}

extension CacheSuperblock {
  /// Reports what the superblock and the size of the device tell together.
  fileprivate func checkAgainstDevice(_ file: BlockFile, into findings: inout Findings) {
    let site = CacheReader.Structure.superblock
    if needsCheck { findings.report(.needsCheck, at: site) }
    if metadataSpaceMap.blockCount > file.blockCount {
      findings.report(
        .deviceTruncated, at: site, found: "\(file.blockCount) blocks",
        expected: "\(metadataSpaceMap.blockCount)")
    }
  }
}

extension CacheReader {
  /// Judges every mapping, then looks for origin blocks that two cache blocks hold, and for dirty
  /// bits of cache blocks that hold nothing.
  fileprivate mutating func checkMappings() {
    guard var array = mappings else { return }
    let rules = MappingRules(superblock)
    let visitors = array.readBlocks(findings: &findings) { MappingVisitor(rules: rules) }
    for visitor in visitors { findings.merge(visitor.findings) }
    mappings = array
    OriginBlocks(array).reportDuplicates(into: &findings)
    checkDirtyBits(of: visitors)
  }

  private mutating func checkDirtyBits(of visitors: [MappingVisitor]) {
    guard var array = dirtyBits else { return }
    let dirty = Bitset(&array, findings: &findings)
    dirtyBits = array
    // After a crash the bits are those of the last suspend: nobody believes them.
    guard superblock.isCleanShutdown else { return }
    let isMapped = Bitset(mapped: visitors, count: array.entryCount)
    let lost = mappings?.lost ?? []
    dirty.without(isMapped).forEachRange { range in
      let keys = range.lowerBound...range.upperBound - 1
      for rest in keys.removing(lost.common(with: [keys])) {
        findings.report(
          .dirtyUnusedBlock, at: Structure.dirtyBits.site(keys: rest), times: rest.count)
      }
    }
  }

  /// Reads the arrays whose values can't be wrong.
  fileprivate mutating func checkValues() {
    for path in [\CacheReader.hints, \CacheReader.discards] {
      guard var array = self[keyPath: path] else { continue }
      _ = array.readBlocks(findings: &findings) { IgnoringVisitor() }
      self[keyPath: path] = array
    }
  }

  /// Visits the space map's own blocks, then holds its counts against what was counted. Returns
  /// what can be mended in place.
  fileprivate mutating func checkSpaceMap() -> MendPlan<CacheSuperblock> {
    let map = StoredSpaceMap(
      Structure.metadataSpaceMap, root: superblock.metadataSpaceMap, index: .block, in: file,
      usage: &usage,
      findings: &findings)
    var differences = Findings()
    let mend = SpaceMapMend(map, usage.references, findings: &differences)
    if findings.worst == .error || !map.hasAllLargeCounts {
      let hidden = differences.drop(.leak)
      if hidden > 0 {
        findings.report(.countsNotJudged, at: Structure.metadata, found: "\(hidden) blocks")
      }
    }
    findings.merge(differences)
    var mended = superblock
    if let flag = CacheSuperblock.needsCheckFlag { mended.flags &= ~flag }
    return MendPlan(metadataMap: mend, superblock: mended)
  }
}

/// Only whether blocks can be read matters.
private struct IgnoringVisitor: ArrayVisitor {
  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {}
}
