internal import PersistentData

extension Grafting {
  /// More leaves with several late times tell that it is the pool's own time that is wrong.
  private static let maxForeign = 4

  /// Has leaves read as if they were lost that other metadata on this device must have left there:
  /// several of their mappings are newer than the pool, or one is and their devices don't have as
  /// many mappings as their details say.
  mutating func leaveOutForeign(_ judgement: PoolJudgement) {
    let reader = judgement.reader
    guard reader.findings.counts[.mappingTimeInFuture] != nil else { return }
    let odd = Set(judgement.mappedAtOdds)
    let roots = reader.devices.filter { odd.contains($0.id) }.compactMap(\.root)
    var own: Set<MetadataBlock> = []
    for root in roots {
      reader.mappings.forEachBottom(below: root) { bottom in
        if case .leaf(let leaf, _) = bottom { own.insert(leaf) }
      }
    }
    let latest = reader.timeLimit
    let late = Contested.leaves(reader) { $0.time > latest }
    if late.count > Grafting.maxForeign { return }
    for leaf in late where own.contains(leaf.block) || leaf.entries.count > 1 {
      reader.file.standIn(for: leaf.block, BlockBuffer(zeroedBlocks: 1))
      note(.node(leaf.block), judgement)
    }
  }
}

extension Grafting {
  /// Has mappings that are newer than the pool left out where leaves are lost. Their times are
  /// wrong, so their data blocks may be too, and counts don't tell: a lost leaf may have mapped
  /// these. Returns whether there are any.
  mutating func leaveOutLate(_ reader: PoolReader) -> Bool {
    guard reader.findings.counts[.mappingTimeInFuture] != nil, !reader.mappings.holes.isEmpty
    else { return false }
    let latest = reader.timeLimit
    let late = Contested.leaves(reader) { $0.time > latest }
    // Of many it is the pool's time that is wrong.
    if late.isEmpty || late.count > Grafting.maxForeign { return false }
    for leaf in late { leaveOut(Set(leaf.entries.map(\.key)), of: leaf.block, in: reader.file) }
    return true
  }

  /// Has a leaf read without entries that may be wrong.
  mutating func leaveOut(
    _ keys: Set<UInt64>, of leaf: MetadataBlock, in file: BlockFile
  ) {
    guard var copy = NodeCopy(file, leaf) else { return }
    copy.entries.removeAll { keys.contains($0.key) }
    guard let contents = copy.contents else { return }
    file.standIn(for: leaf, contents)
    leftOut[leaf, default: []] += keys.sorted().map { $0...$0 }
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
