internal import ArgumentParser
internal import CacheMetadata
internal import PersistentData

/// `cache_check`: says whether the metadata of a cache can be trusted.
struct CacheCheck: CheckTool {
  static let configuration = CommandConfiguration(
    commandName: "cache_check", abstract: "Check the metadata of a cache.",
    version: Toolbox.version)
  static let target = MetadataTarget.cache

  @OptionGroup var options: CheckOptions
  @OptionGroup var needsCheck: NeedsCheckOption
  @Flag(help: "Leave out the mappings, the dirty bits and the space map.")
  var skipMappings = false
  @Flag(help: "Leave out the hints and the space map.") var skipHints = false
  @Flag(help: "Leave out the discards and the space map.") var skipDiscards = false
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    try validate(
      parts: [
        (skipMappings, "--skip-mappings"), (skipHints, "--skip-hints"),
        (skipDiscards, "--skip-discards"),
      ], others: [(needsCheck.isCleared, "--clear-needs-check-flag")])
  }

  var mends: Bool { options.autoRepair || needsCheck.isCleared }

  func report(of file: BlockFile) throws(IOError) -> CacheReport {
    CacheReport(of: file, try scope(file))
  }

  /// A flag is only cleared after a full check, so a set flag calls for one.
  private func scope(_ file: BlockFile) throws(IOError) -> CacheScope {
    var scope = CacheScope()
    if mends, try file.withBlock(.superblock, { CacheSuperblock($0).needsCheck }) { return scope }
    scope.superblockOnly = options.superBlockOnly
    scope.skipsMappings = skipMappings
    scope.skipsHints = skipHints
    scope.skipsDiscards = skipDiscards
    return scope
  }

  func advice(
    _ report: CacheReport, _ result: CheckResult<CacheReport>, isWatched: Bool
  ) -> [String] {
    var advice = ArrayAdvice(
      target: .cache, input: options.input, newBlockCount: report.newBlockCount,
      hasSuperblock: report.superblock != nil, isComplete: report.isComplete)
    advice.needsCheck = report.superblock?.needsCheck ?? false
    advice.losses = losses(report)
    if report.superblock?.isCleanShutdown == false, report.superblock?.cacheBlockCount ?? 0 > 0 {
      advice.remarks = [
        "The cache was not shut down cleanly. When it is next activated, every block counts as "
          + "dirty and is written to the origin; that takes time, but nothing is lost."
      ]
    }
    return advice.lines(
      result, report.findings, wasToMend: mends, isWatched: isWatched)
  }

  private func losses(_ report: CacheReport) -> [String] {
    var lines: [String] = []
    if !report.lostMappings.isEmpty {
      lines.append(
        "It is not known what these cache blocks hold; it may include data that only the cache "
          + "has: \(report.lostMappings.rangeText(atMost: 8)).")
    }
    if !report.lostDirtyBits.isEmpty {
      lines.append(
        "It is not known whether these cache blocks are dirty, so a repair takes them for dirty: "
          + "\(report.lostDirtyBits.rangeText(atMost: 8)).")
    }
    return lines
  }

  func write(_ report: CacheReport, _ json: inout JSONWriter) {
    if let superblock = report.superblock {
      json.object("cache") { json in
        json.field("metadata_version", UInt64(superblock.version))
        json.field("data_block_sectors", UInt64(superblock.dataBlockSectors))
        json.field("cache_blocks", UInt64(superblock.cacheBlockCount))
        json.field("policy", superblock.policy)
        json.field("clean_shutdown", superblock.isCleanShutdown)
        json.field("needs_check", superblock.needsCheck)
        json.field("mapped_blocks", report.mappedCount)
        json.field("dirty_blocks", report.dirtyCount)
      }
    }
    json.ranges("lost_mappings", report.lostMappings)
    json.ranges("lost_dirty_bits", report.lostDirtyBits)
  }
}
