internal import PersistentData

extension Salvage {
  /// What became of a device.
  package struct DeviceResult: Hashable, Sendable {
    package let id: UInt64
    package let mappedBlocks: UInt64
    /// What its details said before, when they could be read.
    package let mappedBlocksBefore: UInt64?
    /// Virtual blocks whose mappings can't be told; where nothing was mapped, nothing is lost.
    package let lost: [ClosedRange<UInt64>]
    /// Whether some of these are told by keys that contradict each other: then mappings there may
    /// have been kept.
    package let hasMisfits: Bool
    /// The mappings that were kept, by how they are known; together `mappedBlocks`.
    package let kept: [Provenance: UInt64]
    /// Mappings of lost leaves that could be brought back, and were not accepted.
    package let leftOut: [Provenance: UInt64]
    package var hasRebuiltDetails: Bool { mappedBlocksBefore == nil }
    var hasMappingsOfLostLeaves: Bool { kept.keys.contains { $0 >= .proven } }
  }
}

extension Salvage.DeviceResult {
  /// `root`: of the tree as it is now, with what was made anew; `nil` when there is none.
  init(
    _ device: ThinDevice, _ root: MetadataBlock?, _ reader: PoolReader, _ totals: SubtreeTotals,
    _ grafting: Grafting
  ) {
    let total = totals[below: root?.number ?? 0]
    id = device.id
    mappedBlocks = total.entryCount
    mappedBlocksBefore = device.details?.mappedBlocks
    var kept: [Provenance: UInt64] = [:]
    var leftOut: [Provenance: UInt64] = [:]
    var lost = reader.lostKeys(below: root, totals)
    for leaf in grafting.lostLeaves?.leaves(of: device.id) ?? [] {
      for claim in leaf.claims {
        if claim.provenance <= grafting.acceptance {
          kept[claim.provenance, default: 0] += 1
        } else {
          leftOut[claim.provenance, default: 0] += 1
        }
      }
      // Of a leaf that was made anew the walk knows no damage.
      let accepted = leaf.claims(upTo: grafting.acceptance)
      if !accepted.isEmpty, UInt64(accepted.count) != leaf.mappingCount {
        lost += leaf.keys.removing(accepted.map { $0.key...$0.key })
      }
    }
    if let count = grafting.graftedCounts[device.id], count > 0 { kept[.grafted] = count }
    kept[.intact] = mappedBlocks - min(mappedBlocks, kept.values.reduce(0, +))
    // Between the children of a node that was made anew there may have been others.
    if let root, mappedBlocks != mappedBlocksBefore {
      let own = reader.mappings.internalNodes(below: root)
      lost += grafting.nodes.filter { own.contains($0.block) }.flatMap(\.gaps)
    }
    // Damage that hid nothing: an empty tree, or a leaf that came back whole.
    if mappedBlocks == mappedBlocksBefore { lost = [] }
    self.lost = lost.sorted { $0.lowerBound < $1.lowerBound }
    hasMisfits = total.hasMisfits
    self.kept = kept
    self.leftOut = leftOut
  }
}

extension LostLeaves {
  /// The lost leaves of a device.
  package func leaves(of device: UInt64) -> [LostLeaf] {
    places[device, default: []].map { leaves[$0] }
  }
}

extension Misfit {
  /// Where entries may be missing in a tree in which one comes to this node for `keys`.
  func doubtful(in keys: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
    keys.removing([sound].compactMap(\.self).common(with: [keys])) + strays
  }
}

extension ClosedRange<UInt64> {
  /// What is left without `ranges`, which lie in it, ascend and don't overlap.
  func removing(_ ranges: [ClosedRange<UInt64>]) -> [ClosedRange<UInt64>] {
    var rest: [ClosedRange<UInt64>] = []
    var first = lowerBound
    for range in ranges {
      if range.lowerBound > first { rest.append(first...range.lowerBound - 1) }
      if range.upperBound == upperBound { return rest }
      first = range.upperBound + 1
    }
    rest.append(first...upperBound)
    return rest
  }
}

extension [ClosedRange<UInt64>] {
  /// What of these lies in any of `others`.
  func common(with others: [ClosedRange<UInt64>]) -> [ClosedRange<UInt64>] {
    let merged = others.merged
    return flatMap { range in
      merged.filter { $0.overlaps(range) }.map { $0.clamped(to: range) }
    }
  }

  /// The same keys, ascending, each once.
  var merged: [ClosedRange<UInt64>] {
    var merged: [ClosedRange<UInt64>] = []
    for range in sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound...Swift.max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}
