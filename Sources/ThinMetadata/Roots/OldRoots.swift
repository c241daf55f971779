package import PersistentData

/// The states of a pool that a device holds: the live one, the metadata snapshot, and superseded
/// ones, whose blocks are free and not yet all reused.
///
/// A commit writes a new list of devices (the root of the top-level mapping tree) to blocks that
/// were free, and leaves the old one where it is. So each such list on the device is a state, with
/// what is left of its trees. Which details belong to it is inferred from ids and counts.
package struct OldRoots: Sendable {
  package enum Standing: Sendable {
    case live
    case metadataSnapshot
    case superseded
  }

  /// A state, named after the block that its list of devices starts in.
  package struct Root: Sendable {
    package let block: MetadataBlock
    package let standing: Standing
    /// Where its details start; `nil` when none fit.
    package let detailsRoot: MetadataBlock?
    /// The pool's time and transaction id, or the highest that its devices have: the pool's were
    /// no lower. `nil` when neither is known.
    package let time: UInt32?
    package let transactionID: UInt64?
    /// Whether these are the pool's own.
    package let isDateExact: Bool
    /// A lower bound of the pool's time then, whichever of the fitting details are its own.
    let timeFloor: UInt32
    package let deviceCount: Int
    package let mappings: UInt64
    package let missing: MissingNodes
    /// Whether details have exactly these devices, with as many mappings.
    package let isConfirmed: Bool
    /// Devices that differ from the live state, ascending by id.
    package internal(set) var differences: [RootDifference] = []
    /// Devices of the live state that this one lacks.
    package internal(set) var lackedCount = 0

    package var isWhole: Bool { missing.count == 0 }
  }

  /// The live state first, then the newest.
  package private(set) var roots: [Root] = []
  /// `nil` when the superblock is lost: then no state is known to be the live one.
  package let superblock: Superblock?

  let lists: DeviceLists

  package init(_ file: BlockFile) {
    var findings = Findings()
    superblock = Superblock.read(
      .superblock, of: file, at: PoolReader.Structure.superblock, into: &findings)
    lists = DeviceLists(
      BlockCensus(
        file, reach: CensusReach(superblock, in: file), purpose: "looking for old roots"))
    let live = superblock.flatMap { lists.block($0.mappingRoot) }
    let held = superblock.flatMap { lists.block($0.heldRoot) }
      .flatMap { lists.census.superblocks[$0] }
    let byFingerprint = DetailsIndex(lists)

    // What looks like a list may be the only mapping of a live device, that of data block 0.
    let liveTrees = Set(
      live.map { lists.lists.leaves(lists.census, below: $0) }?.flatMap {
        lists.devices(inLeaf: $0).map(\.root)
      } ?? [])
    var blocks = Set(
      lists.lists.trees.keys.filter {
        !lists.lists.children.contains($0) && !liveTrees.contains($0)
      })
    if let live { blocks.insert(live) }
    if let root = held.flatMap({ lists.block($0.mappingRoot) }) { blocks.insert(root) }

    // Whole states first: details that are surely theirs aren't considered for the others.
    var taken: Set<MetadataBlock> = []
    for block in blocks.sorted(by: lists.isMoreWhole) {
      let isHeld = held.map { $0.mappingRoot == UInt64(block.number) } ?? false
      let standing: Standing =
        block == live ? .live : isHeld ? .metadataSnapshot : .superseded
      let owner = block == live ? superblock : isHeld ? held : nil
      let root = Root(block, standing, lists, byFingerprint, taken, owner: owner)
      if root.isWhole, root.isConfirmed, let details = root.detailsRoot { taken.insert(details) }
      roots.append(root)
    }
    roots.sort { $0.isListedBefore($1) }
    compareWithLive(live)
  }

  package subscript(block: MetadataBlock) -> Root? { roots.first { $0.block == block } }
  package var live: Root? { roots.first { $0.standing == .live } }

  /// The devices of a root, ascending by id, with the blocks that their trees start in.
  package func devices(below root: MetadataBlock) -> [(id: UInt64, root: MetadataBlock)] {
    lists.lists.leaves(lists.census, below: root).flatMap { leaf in
      lists.devices(inLeaf: leaf).map { ($0.id, $0.root) }
    }
  }

  /// Compares states with the live one: entry by entry, in leaves that they don't share.
  private mutating func compareWithLive(_ live: MetadataBlock?) {
    guard let live, let liveRoot = roots.first(where: { $0.block == live }) else { return }
    let comparison = RootComparison(lists, live: live, liveDetails: liveRoot.detailsRoot)
    for index in roots.indices where roots[index].block != live {
      let result = comparison.compare(roots[index])
      roots[index].differences = result.differences
      roots[index].lackedCount = result.lackedCount
    }
  }
}

extension OldRoots.Root {
  /// `taken`: details that belong to whole states. `owner`: the superblock that leads to it, or
  /// the metadata snapshot's copy.
  fileprivate init(
    _ block: MetadataBlock, _ standing: OldRoots.Standing, _ lists: DeviceLists,
    _ index: DetailsIndex, _ taken: Set<MetadataBlock>, owner: Superblock?
  ) {
    self.block = block
    self.standing = standing
    let tree = lists.lists.trees[block]
    let node = lists.census.nodes[block]
    var lost = tree?.missing ?? MissingNodes()
    lost.add(tree?.sum.missing ?? MissingNodes())
    if tree == nil, node?.entryCount != 0 { lost.add(block, lists.census) }
    let missing = lost
    self.missing = missing
    deviceCount = tree?.sum.fingerprint.deviceCount ?? 0
    mappings = tree?.sum.mappings ?? 0
    let fingerprint = tree?.sum.fingerprint ?? DeviceLists.Fingerprint()
    let fitting = index.fitting(fingerprint, isWhole: missing.count == 0)
    let chosen =
      owner.flatMap { lists.block($0.detailsRoot) }
      ?? fitting.nearest(to: block) {
        // With nothing missing, the fingerprints have decided already.
        missing.count == 0
          || !taken.contains($0) && lists.isPossible(details: $0, for: block)
      }
    let sum = chosen.flatMap { lists.details.trees[$0]?.sum }
    detailsRoot = chosen
    isDateExact = owner != nil
    time = owner?.time ?? sum?.latestTime
    transactionID = owner?.transactionID ?? sum?.latestTransaction
    timeFloor = owner?.time ?? fitting.timeFloor
    isConfirmed = sum.map { $0.fingerprint == fingerprint } ?? false
  }

  /// The live state first, then by date; where that is the same or unknown, by position, as each
  /// commit writes behind the one before until the pool is activated again.
  fileprivate func isListedBefore(_ other: OldRoots.Root) -> Bool {
    func rank(_ root: OldRoots.Root) -> (Int, Int64, UInt64, MetadataBlock) {
      (
        root.standing == .live ? 1 : 0, root.time.map(Int64.init) ?? -1, root.transactionID ?? 0,
        root.block
      )
    }
    return rank(self) > rank(other)
  }
}

extension DeviceLists {
  /// Orders lists with nothing missing before the others; each ascending.
  func isMoreWhole(_ list: MetadataBlock, _ other: MetadataBlock) -> Bool {
    func isWhole(_ list: MetadataBlock) -> Bool {
      lists.trees[list].map { $0.missing.count + $0.sum.missing.count == 0 } ?? false
    }
    return (isWhole(list) ? 0 : 1, list) < (isWhole(other) ? 0 : 1, other)
  }

  /// A pointer of a superblock as a block; `nil` when it leads nowhere.
  func block(_ pointer: UInt64) -> MetadataBlock? {
    MetadataBlock(pointer: pointer, count: census.blockCount)
  }
}
