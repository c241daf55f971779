internal import PersistentData

extension Grafting {
  /// More leaves with late times tell that it is the pool's own time that is wrong.
  private static let maxForeign = 4

  /// Has leaves read as if they were lost that other metadata on this device must have left there:
  /// several of their mappings are newer than the pool, or one is and their devices don't have as
  /// many mappings as their details say.
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

  /// Has mappings that are newer than the pool left out where leaves are lost. Their times are
  /// wrong, so their data blocks may be too, and counts don't tell: a lost leaf may have mapped
  /// these. Returns whether there are any.
  mutating func leaveOutLate(_ reader: PoolReader) -> Bool {
    if reader.mappings.holes.isEmpty { return false }
    let late = lateLeaves(reader)
    for leaf in late { leaveOut(Set(leaf.entries.map(\.key)), of: leaf.block, in: reader.file) }
    return !late.isEmpty
  }

  /// The leaves with mappings that are newer than the pool; none where there are so many that it is
  /// the pool's own time that is wrong.
  private func lateLeaves(_ reader: PoolReader) -> [Contested.Leaf] {
    guard reader.findings.counts[.mappingTimeInFuture] != nil else { return [] }
    let latest = reader.timeLimit
    let late = Contested.leaves(reader) { $0.time > latest }
    return late.count > Grafting.maxForeign ? [] : late
  }
}

extension PoolJudgement {
  /// The devices whose details stand in one leaf with those of any of `devices`: where one is
  /// wrong, that leaf may be an older one.
  func devicesListed(with devices: [UInt64]) -> Set<UInt64> {
    let odd = Set(devices)
    return reader.details.leaves.values.reduce(into: odd) { all, entries in
      let ids = entries.map(\.0)
      if !odd.isDisjoint(with: ids) { all.formUnion(ids) }
    }
  }
}
