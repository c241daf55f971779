internal import PersistentData

/// Every contradiction in a pool's metadata: references found against references stored, both ways,
/// the two lists of devices against each other and against their trees, and nodes out of place.
///
/// A sound pool has none, leaks apart: counts stored too high. Damaged blocks make counts seem too
/// high as well, so neither is a contradiction. A reference found that isn't counted is one: either
/// the block that holds it or the count is wrong.
struct PoolJudgement {
  /// With more differences, it isn't just a few bad blocks.
  private static let maxDifferences = 1 << 20
  /// The most blocks with too many references that are looked at one by one.
  static let maxSurpluses = 1 << 16
  /// As many entries as eight wrong bytes can touch; more in one leaf are not a single error.
  static let maxExchanged = 2

  let pool: PoolReading
  /// Internal nodes that may lack children.
  let partial: Set<MetadataBlock>
  /// Devices made up for trees whose owner isn't known: no list has them.
  private let madeUp: Set<UInt64>
  /// Of metadata blocks, and of data blocks; without differences where the map is no evidence.
  let metadata: CountDifferences
  let data: CountDifferences
  /// Metadata blocks with more references than are counted: those of trees and superblocks, and
  /// those that a space map uses.
  private(set) var surplusBlocks: Set<MetadataBlock> = []
  private(set) var surplusMapBlocks: Set<MetadataBlock> = []
  /// Data blocks with more references than are counted.
  private(set) var surplusData: Set<UInt64> = []
  /// Whether there are more of these than can be looked at.
  private(set) var hasTooMany = false

  init(
    _ pool: PoolReading, partial: Set<MetadataBlock> = [], madeUp: Set<UInt64> = []
  ) {
    self.pool = pool
    let reader = pool.reader
    self.partial = partial
    self.madeUp = madeUp
    var usage = reader.usage.withNothingCounted
    var findings = Findings()
    let superblock = reader.superblock
    let dataMap = StoredSpaceMap(
      PoolReader.Structure.dataSpaceMap, root: superblock.dataSpaceMap, index: .tree,
      in: reader.file, usage: &usage, findings: &findings)
    let metadataMap = StoredSpaceMap(
      PoolReader.Structure.metadataSpaceMap, root: superblock.metadataSpaceMap,
      index: .block, in: reader.file, usage: &usage, findings: &findings)
    for block in 0..<usage.blockCount where reader.usage.references[block] > 0 {
      usage.references.set(
        block, to: usage.references[block] + reader.usage.references[block])
    }
    data = CountDifferences(
      dataMap, with: pool.counts.references, atMost: PoolJudgement.maxDifferences)
    metadata = CountDifferences(
      metadataMap, with: usage.references, atMost: PoolJudgement.maxDifferences)
    let trees: Set<String?> = [
      PoolReader.Structure.topLevel.name, PoolReader.Structure.details.name,
      PoolReader.Structure.mapping.name, PoolReader.Structure.superblock.structure,
      PoolReader.Structure.metadataSnapshot.structure,
    ]
    for block in metadata.surpluses.flatMap(\.blocks) {
      let block = MetadataBlock(UInt32(block))
      if trees.contains(usage.user(of: block)) {
        surplusBlocks.insert(block)
      } else {
        surplusMapBlocks.insert(block)
      }
    }
    for difference in data.surpluses {
      guard difference.length <= UInt64(PoolJudgement.maxSurpluses - surplusData.count) else {
        hasTooMany = true
        break
      }
      surplusData.formUnion(difference.blocks)
    }
  }

  var reader: PoolReader { pool.reader }

  /// Metadata blocks in use that nothing leads to; no more than are looked at one by one.
  var unreached: Set<MetadataBlock> {
    var blocks: Set<MetadataBlock> = []
    for difference in metadata.deficits where difference.counted == 0 {
      guard difference.length <= UInt64(PoolJudgement.maxSurpluses - blocks.count) else { break }
      for block in difference.blocks { blocks.insert(MetadataBlock(UInt32(block))) }
    }
    return blocks
  }

  /// Whether nothing that trees lead to is contradicted.
  var isClean: Bool {
    surplusBlocks.isEmpty && surplusMapBlocks.isEmpty && surplusData.isEmpty && !hasTooMany
      && !hasTreesAtOdds && !reader.hasListsAtOdds(butFor: madeUp) && mappedAtOdds.isEmpty
      && fitsLostLeaves
  }

  /// Whether trees have nodes or pointers that can't be right.
  var hasTreesAtOdds: Bool {
    let mappings = reader.mappings
    return !mappings.crossLinked.isEmpty || !reader.topLevel.crossLinked.isEmpty
      || !reader.details.crossLinked.isEmpty || !mappings.misfitNodes.isEmpty
      || mappings.skeleton.hasLostPointers || reader.topLevel.hasLostPointers
      || reader.details.hasLostPointers || reader.topLevel.isLedAstray
      || reader.details.isLedAstray
  }

  /// Devices whose details give another number of mappings than their tree has, ascending.
  var mappedAtOdds: [UInt64] { devicesAtOdds.map(\.id) }

  /// The same devices, with their trees.
  var devicesAtOdds: [ThinDevice] {
    let totals = pool.counts.totals
    return (reader.devices + reader.heldDevices).filter { device in
      guard let root = device.root, let details = device.details else { return false }
      let total = totals[below: root]
      return total.hasDamage || isPartial(root)
        ? total.entryCount > details.mappedBlocks : total.entryCount != details.mappedBlocks
    }
  }

  /// Mappings of all live devices.
  var mappingCount: UInt64 {
    let totals = pool.counts.totals
    return reader.devices.map { totals[below: $0.root].entryCount }.cappedSum
  }

  private func isPartial(_ root: MetadataBlock) -> Bool {
    !partial.isEmpty && !partial.isDisjoint(with: reader.mappings.internalNodes(below: root))
  }

  /// Whether lost leaves can have held what devices miss: no more mappings than fit, and no more
  /// than data blocks are short of references.
  var fitsLostLeaves: Bool {
    guard data.isComplete, let lost = LostLeaves(pool, rootsAreLeaves: false) else { return true }
    let capacity = UInt64(BTreeNode.capacity(valueSize: Mapping.valueSize))
    let counts = lost.leaves.compactMap(\.mappingCount)
    return lost.isConsistent && counts.allSatisfy { $0 <= capacity }
      && counts.reduce(0, +) <= data.missingReferences
  }
}

extension PoolReader {
  /// Whether a device is in one list only, and no damage explains that.
  var hasListsAtOdds: Bool { hasListsAtOdds(butFor: []) }

  fileprivate func hasListsAtOdds(butFor others: Set<UInt64>) -> Bool {
    devices.contains { device in
      if others.contains(device.id) { return false }
      return device.root == nil && !lostTopLevel.contains { $0.contains(device.id) }
        || device.details == nil && !lostDetails.contains { $0.contains(device.id) }
    }
  }
}
