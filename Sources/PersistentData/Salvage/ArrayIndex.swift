/// What the index trees of an array, the live one and a metadata snapshot's, say of where its
/// blocks live, leaf by leaf, before any of it is believed.
///
/// A leaf whose checksum fits may still be older than the array: the device lost a write. Then it
/// names blocks that are free by now, or are something else's, and none of its entries is certain.
package struct ArrayIndex: Sendable {
  /// An entry of a leaf: the block that is to be part `place` of the array.
  package struct Claim: Hashable, Sendable {
    package let place: UInt64
    package let block: UInt64
  }

  /// By leaf, whether none of its entries is certain.
  package struct Doubts: Sendable {
    fileprivate let isDoubtful: [Bool]
  }

  private struct Leaf: Sendable {
    let block: MetadataBlock
    /// Whether the live tree has it.
    let isLive: Bool
    let claims: [Claim]
  }

  package let shape: ArrayShape
  package let entryCount: UInt64
  /// Blocks that the live array has, as far as there can be any.
  package let placeCount: Int
  /// Where blocks live, by place, as leaves of the live tree say that contradict nothing.
  package private(set) var known: [Int: MetadataBlock] = [:]
  /// What other leaves in use say, of a metadata snapshot's tree.
  package private(set) var others: [Claim] = []
  /// What leaves say that contradict the space map or themselves.
  package private(set) var doubted: [Claim] = []
  /// One past the last place that the live tree has, whatever the superblock says.
  package let end: UInt64
  /// Whether the live tree could be read as a whole.
  package let isWhole: Bool
  /// Whether any node of the trees, the live one's or not, can't be used.
  package let hasHoles: Bool

  private let leaves: [Leaf]

  /// Reads the trees from their roots, the live one first, and counts in `usage` the references to
  /// roots and nodes, and those to array blocks that the device has. `entryCount`: of the live
  /// array.
  package init(
    _ shape: ArrayShape, roots: [UInt64], entryCount: UInt64, in file: BlockFile,
    usage: inout BlockUsage, findings: inout Findings
  ) {
    self.shape = shape
    self.entryCount = entryCount
    placeCount = Int(min(shape.blockCount(for: entryCount), usage.blockCount))
    let index = LeafContents(
      shape.indexTree, roots: roots, in: file, usage: &usage, findings: &findings
    ) { leaf, entry in leaf.value(entry) }
    let read = roots.map { index.entries(below: $0) }
    let reachable = Set(
      read.flatMap { $0.entries.map { Claim(place: $0.0, block: $0.1) } })
    let live = roots.first.map(index.leaves(below:)) ?? []
    leaves = index.leaves.map { leaf, entries in
      Leaf(
        block: leaf, isLive: live.contains(leaf),
        claims: entries.map { Claim(place: $0.0, block: $0.1) }.filter(reachable.contains))
    }.sorted { $0.block < $1.block }
    hasHoles = !index.holes.isEmpty || index.isLedAstray
    isWhole = read.first?.lost.isEmpty ?? true
    end = (read.first?.entries.map(\.0).max()).map { min($0, .max - 1) + 1 } ?? 0
    for claim in leaves.flatMap(\.claims) where claim.block < usage.blockCount {
      usage.references.increment(claim.block)
    }
  }

  /// Whether the space map takes a node of these trees for free: then it, or the superblock, is
  /// not of this day.
  package func contradicts(_ counts: StoredCounts) -> Bool {
    leaves.contains { counts[$0.block.number] == 0 }
  }

  /// Which leaves contradict the space map, themselves or those of another tree. Of two leaves that
  /// name the same blocks either may lie: ask of all trees before any is believed.
  package func doubts(_ counts: StoredCounts, _ usage: BlockUsage) -> Doubts {
    var places: [UInt64: UInt64] = [:]
    let isDoubtful = leaves.map { leaf in
      leaf.claims.contains { claim in
        guard let block = MetadataBlock(pointer: claim.block, count: usage.blockCount),
          !usage.isClaimed(block)
        else { return true }
        let place = places[claim.block] ?? claim.place
        places[claim.block] = claim.place
        let isReferredToMore =
          counts[block.number].map { UInt64($0) < usage.references[claim.block] } ?? false
        return isReferredToMore || place != claim.place
      }
    }
    return Doubts(isDoubtful: isDoubtful)
  }

  /// Takes over what can be believed; the references of leaves that can't be are taken back.
  package mutating func believe(_ doubts: Doubts, _ usage: inout BlockUsage) {
    for (leaf, isDoubtful) in zip(leaves, doubts.isDoubtful) {
      if isDoubtful {
        doubted += leaf.claims
        for claim in leaf.claims where claim.block < usage.blockCount {
          let count = usage.references[claim.block]
          usage.references.set(claim.block, to: count - min(count, 1))
        }
      } else if leaf.isLive {
        for claim in leaf.claims where claim.place < UInt64(placeCount) {
          known[Int(claim.place)] = MetadataBlock(pointer: claim.block, count: usage.blockCount)
        }
      } else {
        others += leaf.claims
      }
    }
  }

  /// Places of which no leaf that is believed says where their block lives, ascending.
  package var missing: [Int] { (0..<placeCount).filter { known[$0] == nil } }
}
