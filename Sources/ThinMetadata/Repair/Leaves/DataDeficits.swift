internal import PersistentData

/// Data blocks that have more references counted than readable leaves map.
///
/// What lost leaves mapped is among them. So is what leaked: a crash during a discard leaves counts
/// that nothing accounts for.
struct DataDeficits: Sendable {
  /// More than this can't come from lost leaves alone.
  private static let limit = 1 << 20

  /// References that each block is short of.
  private(set) var missing: [UInt64: UInt64] = [:]
  /// Blocks with some mappings left.
  private(set) var shared: Set<UInt64> = []
  /// Whether every count could be read and none is below what was found.
  let isWhole: Bool

  var total: UInt64 { missing.values.cappedSum }

  init(_ pool: PoolReading) {
    let differences = pool.dataDifferences ?? DataDeficits.differences(pool)
    var room = UInt64(DataDeficits.limit)
    var isWhole = differences.isComplete
    for difference in differences.all {
      guard difference.stored > difference.counted, difference.length <= room else {
        isWhole = false
        continue
      }
      room -= difference.length
      for block in difference.blocks {
        missing[block] = difference.stored - difference.counted
        if difference.counted > 0 { shared.insert(block) }
      }
    }
    self.isWhole = isWhole
  }

  private static func differences(_ pool: PoolReading) -> CountDifferences {
    let reader = pool.reader
    // Here the blocks of the space map are only read; they are claimed elsewhere.
    var usage = BlockUsage(blockCount: reader.usage.blockCount)
    var findings = Findings()
    let map = StoredSpaceMap(
      PoolReader.Structure.dataSpaceMap, root: reader.superblock.dataSpaceMap,
      index: .tree, in: reader.file, usage: &usage, findings: &findings)
    return CountDifferences(map, with: pool.counts.references, atMost: DataDeficits.limit)
  }

  /// Assumes that `block` leaked: no lost leaf can have mapped it.
  mutating func drop(_ block: UInt64) {
    missing[block] = nil
    shared.remove(block)
  }
}
