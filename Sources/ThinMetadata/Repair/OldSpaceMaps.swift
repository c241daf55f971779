internal import PersistentData

/// What the old space maps tell once a repair knows what it has.
package struct OldSpaceMaps: Sendable {
  /// Data blocks that were in use, and that nothing maps any more; ascending.
  package let unmapped: [ClosedRange<UInt64>]
  /// Whether the data space map could be read as a whole; otherwise there may be more.
  package let isComplete: Bool
  /// Blocks of the space maps that can't be used.
  package let damagedBlocks: [DamagedBlock]

  package var unmappedCount: UInt64 {
    unmapped.reduce(0) { $0 + ($1.upperBound - $1.lowerBound + 1) }
  }
}

extension OldSpaceMaps {
  /// The most runs of blocks that are listed.
  private static let limit = 1 << 16

  /// `isComparing`: whether to look for data blocks that nothing maps any more; if nothing is lost,
  /// that isn't worth the time.
  package init(_ salvage: Salvage, isComparing: Bool) {
    guard isComparing || !salvage.grafting.hasSoundMaps else {
      unmapped = []
      isComplete = false
      damagedBlocks = []
      return
    }
    let reader = salvage.reader
    // What the trees use has been claimed already; here only the maps themselves are looked at.
    var usage = BlockUsage(blockCount: reader.usage.blockCount)
    var findings = Findings()
    let dataMap = StoredSpaceMap(
      PoolReader.Structure.dataSpaceMap, root: reader.superblock.dataSpaceMap, index: .tree,
      in: reader.file, usage: &usage,
      findings: &findings)
    let metadataMap = StoredSpaceMap(
      PoolReader.Structure.metadataSpaceMap, root: reader.superblock.metadataSpaceMap,
      index: .block, in: reader.file, usage: &usage,
      findings: &findings)
    let implausible = [dataMap, metadataMap].flatMap { map in
      map.checkBitmaps(findings: &findings).map { (map.name, $0) }
    }
    damagedBlocks =
      (DamagedBlock.list(findings, in: reader.file)
      + implausible.map { name, block in
        DamagedBlock(
          block: UInt64(block.number), structure: name, look: .unfitting, copyOf: nil)
      }).sorted { $0.block < $1.block }
    guard isComparing else {
      unmapped = []
      isComplete = false
      return
    }
    // The new metadata has no metadata snapshot, so blocks that only it maps count as unmapped.
    let differences = CountDifferences(
      dataMap, with: reader.liveReferences(of: salvage.pool.counts.references),
      atMost: OldSpaceMaps.limit)
    unmapped = differences.all.filter { $0.counted == 0 }.map(\.blocks).joined
    isComplete = differences.isComplete
  }
}
