internal import PersistentData

/// The entries that are certainly right in leaves of which one is wrong and nothing tells which.
///
/// If a leaf is the wrong one, other leaves prove some of what it must have held; if not, it is
/// right as it stands. An entry that stands there and is also proven is right either way. In leaves
/// that no explanation blames, everything is right.
struct AgreedEntries {
  /// The most leaves that may be wrong.
  private static let limit = 16

  /// By leaf that may be wrong: the virtual blocks it may map, and those whose mappings are right.
  private(set) var leaves: [MetadataBlock: (range: ClosedRange<UInt64>, keys: Set<UInt64>)] = [:]

  /// `nil` unless every explanation blames one leaf or a space map, and no suspect was left out.
  init?(
    _ explanations: Explanations<Suspect>, among suspects: [Suspect], _ trials: Trials
  ) {
    let contested = trials.contested
    let contestedLeaves = Set(contested.leaves.map(\.block))
    guard contested.parents.isEmpty, contested.lists.isEmpty, contested.details.isEmpty,
      !contested.hasLosses, !explanations.found.isEmpty,
      explanations.found.count <= AgreedEntries.limit,
      explanations.isExhaustive, suspects.count < Suspect.limit
    else { return nil }
    for explanation in explanations.found {
      guard explanation.count == 1, let suspect = explanation.first else { return nil }
      if suspect.isSpaceMap { continue }
      guard case .node(let leaf) = suspect, contestedLeaves.contains(leaf),
        let lost = trials.lost(leaf)
      else { return nil }
      let proven = lost.claims(upTo: .proven).map { Entry(key: $0.key, value: $0.mapping.value) }
      let standing = (NodeCopy(trials.census.file, leaf)?.entries ?? []).map {
        Entry(key: $0.key, value: $0.value)
      }
      let keys = Set(proven).intersection(standing).map(\.key)
      leaves[leaf] = (lost.keys, Set(keys))
    }
  }

  private struct Entry: Hashable {
    let key: UInt64
    let value: UInt64
  }
}

extension Trials {
  /// What the rest of the pool tells about a leaf if it is wrong.
  fileprivate func lost(_ leaf: MetadataBlock) -> LostLeaf? {
    let standIns = census.file.allStandIns
    defer { census.file.allStandIns = standIns }
    guard let superblock = assume([.node(leaf)]) else { return nil }
    let pool = PoolSource(superblock: superblock, read: source.read).read()
    guard let lost = LostLeaves(pool, rootsAreLeaves: true), lost.leaves.count == 1
    else { return nil }
    let deficits = DataDeficits(pool)
    return LeafClaims(lost, deficits, Survivors(pool.reader, of: deficits.shared)).result
      .leaves.first
  }
}

extension Grafting {
  /// Leaves out the entries of a contested leaf that may be wrong.
  mutating func leaveOut(
    _ leaf: Contested.Leaf, keeping agreed: AgreedEntries, _ file: BlockFile
  ) {
    guard let own = agreed.leaves[leaf.block], var copy = NodeCopy(file, leaf.block) else { return }
    let contested = Set(leaf.entries.map(\.key))
    copy.entries.removeAll { !own.keys.contains($0.key) || contested.contains($0.key) }
    guard !copy.entries.isEmpty, let contents = copy.contents else {
      file.standIn(for: leaf.block, BlockBuffer(zeroedBlocks: 1))
      return
    }
    leftOut[leaf.block, default: []] += own.range.removing(copy.entries.map { $0.key...$0.key })
    file.standIn(for: leaf.block, contents)
  }
}
