package import PersistentData

/// A pool in which a full check found no error, and its free blocks: what may be relied on when
/// data is to be moved or discarded.
package struct CheckedPool: Sendable {
  package let file: BlockFile
  package let superblock: Superblock
  /// What was found all the same: leaks, or nothing.
  package let findings: Findings
  private let dataCounts: RefCounts
  private let metadataCounts: RefCounts

  /// `nil` where a check found an error, or could not look at everything.
  package init?(_ file: BlockFile, _ report: CheckReport) {
    guard report.findings.worst != .error, let superblock = report.superblock,
      let dataCounts = report.dataCounts, let metadataCounts = report.metadataCounts
    else { return nil }
    self.file = file
    self.superblock = superblock
    findings = report.findings
    self.dataCounts = dataCounts
    self.metadataCounts = metadataCounts
  }

  package var hasLeaks: Bool { findings.worst == .leak }
  package var blockBytes: UInt64 { UInt64(superblock.dataBlockSectors) * 512 }
  package var dataBlockCount: UInt64 { superblock.dataSpaceMap.blockCount }
  package var dataBytes: UInt64 { dataBlockCount.multipliedSaturated(by: blockBytes) }

  /// The data blocks that something maps, the metadata snapshot among them.
  package var usedData: Bitset { dataCounts.used }

  /// The data blocks that nothing maps and that the space map has free.
  package func unusedData() -> Bitset {
    map(PoolReader.Structure.dataSpaceMap, superblock.dataSpaceMap, .tree)
      .unused(dataCounts, below: dataBlockCount)
  }

  /// The metadata blocks that nothing refers to and that the space map has free, or that the
  /// device has beyond it.
  package func unusedMetadata() -> Bitset {
    map(PoolReader.Structure.metadataSpaceMap, superblock.metadataSpaceMap, .block)
      .unused(
        metadataCounts, below: min(file.blockCount, MetadataBlock.maximumCount),
        isFreeBeyondEnd: true)
  }

  private func map(
    _ label: StructureLabel, _ root: SpaceMapRoot, _ index: StoredSpaceMap.Index
  ) -> StoredSpaceMap {
    // The check has reported everything about it.
    var usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    var findings = Findings()
    return StoredSpaceMap(
      label, root: root, index: index, in: file, usage: &usage, findings: &findings)
  }
}

extension UInt64 {
  fileprivate func multipliedSaturated(by other: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
