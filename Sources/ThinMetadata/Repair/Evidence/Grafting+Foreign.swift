internal import PersistentData

extension Grafting {
  /// With more leaves with late times, the pool's own time must be wrong.
  private static let maxForeign = 4

  /// Treats as lost the leaves that must be left over from other metadata on this device: several
  /// of their mappings are newer than the pool, or one is and their devices don't have as many
  /// mappings as their details say.
  mutating func leaveOutForeign(_ judgement: PoolJudgement) {
    let reader = judgement.reader
    let late = lateLeaves(reader)
    if late.isEmpty { return }
    let odd = Set(judgement.mappedAtOdds)
    let roots = reader.devices.filter { odd.contains($0.id) }.compactMap(\.root)
    var own: Set<MetadataBlock> = []
    for root in roots {
      reader.mappings.forEachBottom(below: root) { bottom in
        if case .leaf(let leaf, _) = bottom { own.insert(leaf) }
      }
    }
    for leaf in late where own.contains(leaf.block) || leaf.entries.count > 1 {
      reader.file.standIn(for: leaf.block, BlockBuffer(zeroedBlocks: 1))
      note(.node(leaf.block), judgement)
    }
  }

  /// Leaves out mappings newer than the pool where leaves are lost. Their times are wrong, so their
  /// data blocks may be too, and counts don't tell: a lost leaf may have mapped these. Returns
  /// whether there are any.
  mutating func leaveOutLate(_ reader: PoolReader) -> Bool {
    if reader.mappings.holes.isEmpty { return false }
    let late = lateLeaves(reader)
    for leaf in late { leaveOut(Set(leaf.entries.map(\.key)), of: leaf.block, in: reader.file) }
    return !late.isEmpty
  }

  /// The leaves with mappings newer than the pool; none where there are so many that the pool's own
  /// time must be wrong.
  private func lateLeaves(_ reader: PoolReader) -> [Contested.Leaf] {
    guard reader.findings.counts[.mappingTimeInFuture] != nil else { return [] }
    let latest = reader.limits.time
    let late = Contested.leaves(reader) { $0.time > latest }
    return late.count > Grafting.maxForeign ? [] : late
  }
}

extension PoolJudgement {
  /// The devices whose details share a leaf with those of any of `devices`: if one is wrong, that
  /// leaf may be an older one.
  func devicesListed(with devices: [UInt64]) -> Set<UInt64> {
    let odd = Set(devices)
    return reader.details.leaves.values.reduce(into: odd) { all, entries in
      let ids = entries.map(\.0)
      if !odd.isDisjoint(with: ids) { all.formUnion(ids) }
    }
  }
}
