internal import PersistentData

extension Salvage {
  /// What became of a device.
  package struct DeviceResult: Hashable, Sendable {
    package let id: UInt64
    package let mappedBlocks: UInt64
    /// What its details said before, when they could be read.
    package let mappedBlocksBefore: UInt64?
    /// Virtual blocks whose mappings aren't known; where nothing was mapped, nothing is lost.
    package let lost: [ClosedRange<UInt64>]
    /// What is thought to have stood in leaves that are lost.
    package let lostLeaves: [LostLeaf]
    /// Whether some of `lost` come from keys that contradict each other: then mappings there may
    /// have been kept.
    package let hasMisfits: Bool
    /// The mappings that were kept, by how they are known; together `mappedBlocks`.
    package let kept: [Provenance: UInt64]
    /// Mappings of lost leaves that could be brought back, but were not accepted.
    package let leftOut: [Provenance: UInt64]
    /// Mappings left out because their data has been overwritten.
    package let droppedCount: UInt64
    /// Whether its data has been overwritten, or may have been.
    package let hasOverwrittenData: Bool
    /// Whether other blocks contradict what is kept of it, or its id, and nothing tells which are
    /// right.
    package let isDoubtful: Bool
    /// Whether mappings are missing that were not left out on purpose, as far as is known.
    package var hasLosses: Bool {
      !lost.isEmpty
        || [mappedBlocks, droppedCount].cappedSum < mappedBlocksBefore ?? mappedBlocks
    }
    /// Whether all mappings are kept, and no more than its details say.
    var hasAllMappings: Bool {
      lost.isEmpty && mappedBlocks == mappedBlocksBefore ?? mappedBlocks
    }
    /// Whether nothing is missing, overwritten or doubtful.
    package var isWhole: Bool {
      hasAllMappings && !hasOverwrittenData && !isDoubtful
        && kept.allSatisfy { $0.key <= .proven || $0.value == 0 }
    }
    package var hasRebuiltDetails: Bool { mappedBlocksBefore == nil }
    var hasMappingsOfLostLeaves: Bool { kept.keys.contains { $0 >= .proven } }
  }
}

extension Salvage.DeviceResult {
  /// `oldID`: the device's id in the lists, which may be impossible. `root`: of the tree with what
  /// was remade; `nil` when there is none. `overwritten`: its data that is gone, or may be;
  /// `isDropping`: whether mappings to what is certainly gone are left out.
  init(
    _ device: ThinDevice, readAs oldID: UInt64, _ root: MetadataBlock?, _ reader: PoolReader,
    _ totals: SubtreeTotals, _ grafting: Grafting, _ overwritten: OverwrittenData.Device?,
    isDropping: Bool, hasUnclearID: Bool
  ) {
    let total = totals[below: root]
    id = device.id
    mappedBlocks = total.entryCount
    mappedBlocksBefore = device.details?.mappedBlocks
    var kept: [Provenance: UInt64] = [:]
    var leftOut: [Provenance: UInt64] = [:]
    var lost = reader.lostKeys(below: root, totals)
    lostLeaves = grafting.lostLeaves?.leaves(of: oldID) ?? []
    for leaf in lostLeaves {
      for claim in leaf.claims {
        if claim.provenance <= grafting.acceptance {
          kept[claim.provenance, default: 0] += 1
        } else {
          leftOut[claim.provenance, default: 0] += 1
        }
      }
      // The walk sees no damage in a remade leaf.
      let accepted = leaf.claims(upTo: grafting.acceptance)
      if !accepted.isEmpty, UInt64(accepted.count) != leaf.mappingCount {
        lost += leaf.keys.removing(accepted.map { $0.key...$0.key })
      }
    }
    let contradicted = grafting.contradicted(below: root, reader)
    lost += contradicted.leftOut
    if contradicted.correctedCount > 0 {
      kept[.proven, default: 0] += contradicted.correctedCount
    }
    if let count = grafting.graftedCounts[oldID], count > 0 { kept[.grafted] = count }
    kept[.intact] = mappedBlocks - min(mappedBlocks, kept.values.cappedSum)
    // Between the children of a remade node there may have been others.
    if let root, mappedBlocks != mappedBlocksBefore {
      let own = reader.mappings.internalNodes(below: root)
      lost += grafting.nodes.filter { own.contains($0.block) }.flatMap(\.gaps)
    }
    // Damage that hid nothing: an empty tree, or a leaf that came back whole.
    if mappedBlocks == mappedBlocksBefore { lost = [] }
    self.lost = lost.sorted { $0.lowerBound < $1.lowerBound }
    hasMisfits = total.hasMisfits
    isDoubtful =
      hasUnclearID || !contradicted.leftOut.isEmpty || contradicted.isContested
      || grafting.doubtfulDetails.contains(oldID) && mappedBlocks != mappedBlocksBefore
    hasOverwrittenData = overwritten != nil
    droppedCount =
      isDropping
      ? (overwritten?.certain ?? []).map { $0.upperBound - $0.lowerBound + 1 }.cappedSum : 0
    self.kept = kept
    self.leftOut = leftOut
  }
}

extension LostLeaves {
  /// The lost leaves of a device.
  func leaves(of device: UInt64) -> [LostLeaf] {
    places[device, default: []].map { leaves[$0] }
  }
}
