/// What an array's index trees, the live one and a metadata snapshot's, say about where its blocks
/// live, leaf by leaf, before any of it is trusted.
///
/// A leaf with a good checksum may still be older than the array, if the device lost a write. Then
/// it names blocks that are free by now, or have another use, and none of its entries is certain.
package struct ArrayIndex: Sendable {
  /// An entry of a leaf: the block said to be at `place` in the array.
  package struct Claim: Hashable, Sendable {
    package let place: UInt64
    package let block: UInt64
  }

  /// By leaf, whether its entries are uncertain.
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
  /// Blocks of the live array, bounded by the size of the device.
  package let placeCount: Int
  /// Where blocks live, by place, according to leaves of the live tree that contradict nothing.
  private var known: [MetadataBlock?]
  /// Entries of other leaves in use, those of a metadata snapshot's tree.
  package private(set) var others: [Claim] = []
  /// Entries of leaves that contradict the space map or each other.
  package private(set) var doubted: [Claim] = []
  /// One past the last place in the live tree, whatever the superblock says.
  package let end: UInt64
  /// Whether all of the live tree could be read.
  package let isWhole: Bool
  /// Whether any node of any of the trees can't be used.
  package let hasHoles: Bool

  private let leaves: [Leaf]

  /// Reads the trees from their roots, the live one first, and counts in `usage` the references to
  /// roots, nodes and array blocks on the device. `entryCount`: that of the live array.
  package init(
    _ shape: ArrayShape, roots: [UInt64], entryCount: UInt64, in file: BlockFile,
    usage: inout BlockUsage, findings: inout Findings
  ) {
    self.shape = shape
    self.entryCount = entryCount
    placeCount = Int(min(shape.blockCount(for: entryCount), usage.blockCount))
    known = Array(repeating: nil, count: placeCount)
    let index = LeafContents(
      shape.indexTree, roots: roots, in: file, usage: &usage, findings: &findings
    ) { leaf, entry in leaf.value(entry) }
    let read = roots.map { index.entries(below: $0) }
    let live = roots.first.map(index.leaves(below:)) ?? []
    leaves = index.leaves.map { leaf, entries in
      Leaf(
        block: leaf, isLive: live.contains(leaf),
        claims: entries.filter { entry in
          read.contains { ArrayIndex.contains(entry, in: $0.entries) }
        }.map { Claim(place: $0.0, block: $0.1) })
    }.sorted { $0.block < $1.block }
    hasHoles = !index.holes.isEmpty || index.isLedAstray
    isWhole = read.first?.lost.isEmpty ?? true
    end = (read.first?.entries.map(\.0).max()).map { min($0, .max - 1) + 1 } ?? 0
    for claim in leaves.flatMap(\.claims) where claim.block < usage.blockCount {
      usage.references.increment(claim.block)
    }
  }

  /// Whether an entry is one of some in the order of their keys.
  private static func contains(
    _ entry: (UInt64, UInt64), in entries: [(UInt64, UInt64)]
  ) -> Bool {
    let index = entries.partitionPoint { $0.0 < entry.0 }
    return index < entries.count && entries[index] == entry
  }

  /// Whether the space map counts a leaf of these trees as free: then the space map or the
  /// superblock is out of date.
  package func contradicts(_ counts: StoredCounts) -> Bool {
    leaves.contains { counts[$0.block.number] == 0 }
  }

  /// Which leaves contradict the space map, each other or another tree. If two leaves name the same
  /// block, either may be wrong: ask this for all trees before believing any.
  package func doubts(_ counts: StoredCounts, _ usage: BlockUsage) -> Doubts {
    var places = ArrayPlaces(blockCount: usage.blockCount)
    let isDoubtful = leaves.map { leaf in
      leaf.claims.contains { claim in
        guard let block = MetadataBlock(pointer: claim.block, count: usage.blockCount),
          !usage.isClaimed(block)
        else { return true }
        let place = places[block] ?? claim.place
        places[block] = claim.place
        let isReferredToMore =
          counts[block.number].map { UInt64($0) < usage.references[claim.block] } ?? false
        return isReferredToMore || place != claim.place
      }
    }
    return Doubts(isDoubtful: isDoubtful)
  }

  /// Accepts the entries of leaves that can be trusted, and takes back the references of the
  /// others.
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

  /// Places for which no trusted leaf gives a block, ascending.
  package var missing: [Int] { known.indices.filter { known[$0] == nil } }

  /// The live array, with its blocks at the places that are known, and the others where they were
  /// `found`.
  package func array(with found: [Int: MetadataBlock] = [:], in file: BlockFile) -> StoredArray {
    var blocks = known
    for (place, block) in found where blocks[place] == nil { blocks[place] = block }
    return StoredArray(
      shape, entryCount: entryCount, blocks: blocks, in: file, correctingFlippedBits: true)
  }
}
