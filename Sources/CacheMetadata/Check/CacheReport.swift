package import PersistentData

/// What a check of cache metadata found.
package struct CacheReport: Sendable {
  package private(set) var findings: Findings
  /// `nil` when there is no usable superblock.
  package private(set) var superblock: CacheSuperblock?
  /// Whole blocks on the device.
  package let blockCount: UInt64
  /// Cache blocks whose mappings are lost, ascending.
  package private(set) var lostMappings: [ClosedRange<UInt64>] = []
  /// Cache blocks whose dirty bits are lost, ascending.
  package private(set) var lostDirtyBits: [ClosedRange<UInt64>] = []
  /// Cache blocks that hold something, and those of them that a kernel takes for dirty; `nil` where
  /// they were not looked at.
  package private(set) var mappedCount: UInt64?
  package private(set) var dirtyCount: UInt64?
  /// Blocks that new metadata should have, as far as a check can tell.
  package private(set) var newBlockCount: UInt64
  /// What can be mended in place; `nil` unless everything was looked at.
  package private(set) var plan: MendPlan<CacheSuperblock>?

  /// Checks the metadata in `file` and reports all that is wrong with it.
  package init(of file: BlockFile, _ scope: CacheScope = CacheScope()) {
    findings = Findings()
    blockCount = file.blockCount
    newBlockCount = min(blockCount, MetadataBlock.maximumCount)
    let site = CacheReader.Structure.superblock
    guard let superblock = CacheSuperblock.read(.superblock, of: file, at: site, into: &findings)
    else {
      newBlockCount = NewSize.blocks(for: file)
      return
    }
    self.superblock = superblock
    newBlockCount = NewSize.blocks(
      needed: superblock.metadataSpaceMap.allocatedCount, old: blockCount)
    superblock.check(home: .superblock, at: site, into: &findings)
    if superblock.needsCheck { findings.report(.needsCheck, at: site) }
    superblock.checkSize(of: file, at: site, into: &findings)
    if scope.superblockOnly { return }

    var reader = CacheReader(file, superblock, scope, findings: findings)
    if let counts = reader.checkMappings() { (mappedCount, dirtyCount) = counts }
    reader.checkValues()
    lostMappings = reader.mappings?.lost ?? []
    lostDirtyBits = reader.dirtyBits?.lost ?? []
    if scope.isComplete {
      plan = MendPlan(
        superblock, CacheReader.Structure.metadataSpaceMap, of: CacheReader.Structure.metadata,
        in: file, usage: &reader.usage, findings: &reader.findings)
    }
    findings = reader.findings
  }
}

extension CacheReport: MetadataReport {
  package static func fullCheck(of file: BlockFile) -> Findings { CacheReport(of: file).findings }
}

extension CacheReader {
  /// Checks every mapping, then looks for origin blocks that two cache blocks hold, and for dirty
  /// bits of cache blocks that hold nothing. Returns how many blocks are mapped, and dirty.
  fileprivate mutating func checkMappings() -> (mapped: UInt64, dirty: UInt64)? {
    guard var array = mappings else { return nil }
    let survey = MappingSurvey(&array, MappingRules(superblock), findings: &findings)
    findings.merge(survey.faults)
    mappings = array
    OriginBlocks(array, survey.repeatedOrigins).reportDuplicates(into: &findings)
    let mapped = UInt64(survey.mapped.count)
    let unmarked = checkDirtyBits(of: survey.mapped)
    let dirty = unmarked.map { mapped - UInt64($0.count) } ?? UInt64(survey.flagged.count)
    return (mapped, superblock.isCleanShutdown ? dirty : mapped)
  }

  /// Returns the mapped blocks that are not dirty; `nil` where no bitset says which are.
  private mutating func checkDirtyBits(of isMapped: Bitset) -> Bitset? {
    guard var array = dirtyBits else { return nil }
    let dirty = Bitset(&array, findings: &findings)
    dirtyBits = array
    // After a crash the bits are those of the last suspend, and not trusted.
    guard superblock.isCleanShutdown else { return nil }
    let lost = mappings?.lost ?? []
    dirty.without(isMapped).forEachRange { range in
      let keys = range.lowerBound...range.upperBound - 1
      for rest in keys.removing(lost.common(with: [keys])) {
        findings.report(
          .dirtyUnusedBlock, at: Structure.dirtyBits.site(keys: rest), times: rest.count)
      }
    }
    return isMapped.without(dirty)
  }

  /// Reads the arrays whose values can't be wrong.
  fileprivate mutating func checkValues() {
    for path in [\CacheReader.hints, \CacheReader.discards] {
      guard var array = self[keyPath: path] else { continue }
      array.verify(findings: &findings)
      self[keyPath: path] = array
    }
  }
}
