internal import PersistentData

/// One leaf entry that maps the wrong data block: that block has a reference too many, and the one
/// it mapped before has one too few.
///
/// A wrong count would explain one of these, not both. So an entry is wrong; only other leaves tell
/// which: those that map the missing block for the same virtual block, or several that agree
/// against one.
struct WrongEntry {
  /// The most data blocks short of a reference that are looked for in other leaves.
  private static let maxMissing: UInt64 = 1 << 12

  /// Where an entry stands.
  struct Place {
    let leaf: MetadataBlock
    let key: UInt64
  }

  /// The entries that may be wrong; none of them can be trusted.
  let places: [Place]
  /// What the wrong entry mapped, where that is known.
  let truth: Mapping?

  /// `nil` where anything else is contradicted, or leaves agree on what they map.
  init?(_ judgement: PoolJudgement) {
    guard judgement.hasOneDataBlockTooMany else { return nil }
    let leaves = Contested.leaves(judgement.reader, judgement.surplusData)
    let entries = leaves.flatMap { leaf in
      leaf.entries.map { (leaf: leaf.block, key: $0.key, mapping: $0.mapping) }
    }
    let groups = Dictionary(grouping: entries) { [$0.key, UInt64($0.mapping.time)] }.values
    let stored = judgement.data.surpluses.first?.stored ?? 0
    guard groups.count > 1 || stored == 0 && entries.count == 1 else { return nil }
    // Several leaves that are wrong in the same way would be more than one error.
    let alone = groups.filter { $0.count == 1 }.joined()
    let suspects = alone.isEmpty ? entries : Array(alone)

    var missing: Set<UInt64> = []
    for difference in judgement.data.deficits {
      guard difference.length <= WrongEntry.maxMissing - UInt64(missing.count) else { break }
      missing.formUnion(difference.blocks)
    }
    let witnesses = Survivors(judgement.reader, of: missing).witnesses
      .filter { missing.contains($0.key) && $0.value.isUnanimous }
    let known = suspects.flatMap { entry in
      witnesses.filter { $0.value.key == entry.key }.map { (entry: entry, witness: $0) }
    }
    if known.count == 1, let (entry, witness) = known.first {
      places = [Place(leaf: entry.leaf, key: entry.key)]
      truth = Mapping(dataBlock: witness.key, time: witness.value.time)
    } else {
      places = suspects.map { Place(leaf: $0.leaf, key: $0.key) }
      truth = nil
    }
  }
}

extension PoolJudgement {
  /// Whether the only contradiction is one data block with a reference too many, while others are
  /// short of some.
  fileprivate var hasOneDataBlockTooMany: Bool {
    guard isDataAlone, data.isComplete, !data.deficits.isEmpty, surplusData.count == 1,
      let surplus = data.surpluses.first
    else { return false }
    return surplus.counted - surplus.stored == 1
  }

  /// Whether only counts of data blocks may be contradicted, and nothing of the trees is lost.
  private var isDataAlone: Bool {
    surplusBlocks.isEmpty && surplusMapBlocks.isEmpty && !hasTooMany && !hasTreesAtOdds
      && !reader.hasListsAtOdds && mappedAtOdds.isEmpty && !reader.hasLosses
  }
}

extension Grafting {
  /// Restores the entry in memory where its value is known. Otherwise leaves out all entries that
  /// may be wrong.
  mutating func correct(_ wrong: WrongEntry, _ judgement: PoolJudgement) {
    let file = judgement.reader.file
    if wrong.truth == nil { isOpen = true }
    for (leaf, places) in Dictionary(grouping: wrong.places, by: \.leaf) {
      let keys = Set(places.map(\.key))
      if let truth = wrong.truth {
        put(truth, at: keys, of: leaf, in: file)
      } else {
        leaveOut(keys, of: leaf, in: file)
      }
      note(.node(leaf), judgement)
    }
  }

  private mutating func put(
    _ mapping: Mapping, at keys: Set<UInt64>, of leaf: MetadataBlock, in file: BlockFile
  ) {
    guard var copy = NodeCopy(file, leaf) else { return }
    for index in copy.entries.indices where keys.contains(copy.entries[index].key) {
      copy.entries[index].value = mapping.value
    }
    guard let contents = copy.contents else { return }
    file.standIn(for: leaf, contents)
    corrected[leaf, default: []] += keys.sorted()
  }
}
