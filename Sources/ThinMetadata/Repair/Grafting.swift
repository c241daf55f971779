internal import PersistentData

/// Puts back what nothing leads to any more: subtrees whose parent is lost, and those mappings of
/// lost leaves that can be worked out.
///
/// A lost node is written anew, in memory, from what the space maps say about its children or its
/// mappings; then the pool is walked again as if nothing had happened to that node.
package struct Grafting: Sendable {
  /// The most levels of lost nodes that are remade, from the top down.
  private static let rounds = 4
  /// With more lost leaves, it isn't just a few bad blocks.
  static let maxLeaves = 1024

  /// How sure a mapping of a lost leaf must be to be brought back.
  package let acceptance: Provenance

  /// Blocks of trees that can't be used, as they are on the device.
  package internal(set) var damagedBlocks: [DamagedBlock] = []
  /// Lost internal nodes that were made anew.
  package internal(set) var nodes: [RemadeNode] = []
  /// Devices whose tree was found though nothing led to it.
  package internal(set) var adopted: [UInt64] = []
  /// Devices made up for trees in use whose owner isn't known.
  package internal(set) var madeUpDevices: [UInt64] = []
  /// Lost leaves, with what is known of their mappings; `nil` when nothing is known of any.
  package internal(set) var lostLeaves: LostLeaves?
  /// Ids of devices that may have been in a lost child of a remade list of devices.
  package internal(set) var lostIDs: [ClosedRange<UInt64>] = []
  /// How many mappings of each device came back with remade internal nodes.
  package internal(set) var graftedCounts: [UInt64: UInt64] = [:]

  /// Virtual blocks whose data block was wrong and is now known, by leaf.
  var corrected: [MetadataBlock: [UInt64]] = [:]
  /// Virtual blocks of leaves that are left out because other blocks contradict them.
  var leftOut: [MetadataBlock: [ClosedRange<UInt64>]] = [:]
  /// Internal nodes with pointers that are left out for the same reason.
  var contestedNodes: Set<MetadataBlock> = []
  /// Whether the pool contradicts itself and no single explanation is certain.
  package internal(set) var isOpen = false
  /// Whether trees were left out because nothing bears them out.
  package internal(set) var hasUnproven = false
  /// Whether the superblock led elsewhere than the rest of the pool says.
  package internal(set) var isSuperblockReplaced = false
  /// Whether every block of the two space maps is as it should be, and nothing contradicts them.
  private(set) var hasSoundMaps = false
  /// Whether this pool is only to be judged. Then nothing is put back as a separate copy, which
  /// would count twice beside a node that others still have.
  var isTrial = false
  /// Devices whose details contradict their trees, while nothing else does.
  var doubtfulDetails: Set<UInt64> = []

  package init(accepting acceptance: Provenance = .proven) { self.acceptance = acceptance }

  /// Walks the pool, finds out which blocks are wrong, grafts, and walks again until nothing more
  /// can be brought back.
  mutating func walk(_ source: PoolSource) -> PoolReading {
    var source = source
    var pool = source.read()
    noteDamage(pool.reader)
    let judgement = PoolJudgement(pool)
    pool.dataDifferences = judgement.data
    let isClean = judgement.isClean
    hasSoundMaps = isClean && judgement.data.isComplete && judgement.metadata.isComplete
    guard pool.reader.hasLosses || !isClean else { return pool }
    let census = BlockCensus(
      pool.reader.file, reach: CensusReach(pool.reader.superblock, in: pool.reader.file),
      purpose: "looking for what is lost in all blocks")
    if !isClean {
      let superblock = resolve(judgement, source, census)
      source = PoolSource(superblock: superblock, read: source.read)
      pool.readAgain(source)
    }
    if leaveOutLate(pool.reader) { pool.readAgain(source) }
    pool = regrow(pool, source, census)
    if pool.reader.hasListsAtOdds {
      // Whichever list is older may have older times as well.
      doubtfulDetails.formUnion(pool.reader.devices.map(\.id))
    }
    if !isClean || !nodes.isEmpty, leaveOutUnproven(&pool, wasClean: isClean) {
      noteGrafted(pool)
      return pool
    }
    let hasAllDevices = pool.reader.lostTopLevel.isEmpty && adopted.isEmpty && madeUpDevices.isEmpty
    if hasAllDevices, remakeLeaves(pool, census) { pool.readAgain(source) }
    return pool
  }

  /// Remakes lost internal nodes, gives trees back to their devices, and walks the pool again.
  ///
  /// `pool`: as it is read from `source`.
  mutating func regrow(
    _ pool: PoolReading, _ source: PoolSource, _ census: BlockCensus
  ) -> PoolReading {
    guard pool.reader.hasLosses else { return pool }
    var pool = pool
    var reader: PoolReader { pool.reader }
    // A branch that the metadata snapshot has lost is older than the live pool's, and fits.
    for _ in 0..<Grafting.rounds where reader.hasLostBranches && !reader.hasLostHeldTrees {
      let made = makeNodes(pool, census, Deficits(reader, census))
      if made.isEmpty { break }
      nodes += made
      pool.readAgain(source)
    }
    let refuted = refutedNodes(pool)
    if !refuted.isEmpty {
      for block in refuted { reader.file.removeStandIn(for: block) }
      nodes.removeAll { refuted.contains($0.block) }
      pool.readAgain(source)
    }
    let hasRemadeList = nodes.contains { $0.tree == .topLevel }
    if !reader.lostTopLevel.isEmpty || hasRemadeList || reader.hasRootlessDevices {
      let orphans = Deficits(reader, census).candidates.filter { $0.tree == .mapping }
      var choice = RootChoice()
      choice.orphans = orphans.flatMap {
        Array(repeating: $0.block, count: min(2, $0.missing))
      }
      if !orphans.isEmpty {
        pool.readAgain(source, choosing: choice)
        adopt(orphans, &pool, census)
      }
    }
    if hasRemadeList, Deficits(reader, census).hasUnreached {
      lostIDs = nodes.filter { $0.tree == .topLevel }.flatMap(\.gaps)
    }
    noteDamage(reader)
    noteGrafted(pool)
    return pool
  }

  /// The more is put back, the more blocks are reached, and they may be damaged too.
  private mutating func noteDamage(_ reader: PoolReader) {
    let known = Set(damagedBlocks.map(\.block))
    damagedBlocks += DamagedBlock.list(reader.findings, in: reader.file)
      .filter { !known.contains($0.block) }
    damagedBlocks.sort { $0.block < $1.block }
  }

  private mutating func noteGrafted(_ pool: PoolReading) {
    let (reader, totals) = (pool.reader, pool.counts.totals)
    let part = totals.limited(to: Set(nodes.map(\.block)))
    for device in reader.devices {
      guard let root = device.root else { continue }
      if adopted.contains(device.id) || madeUpDevices.contains(device.id) {
        graftedCounts[device.id] = totals[below: root].entryCount
      } else if reader.mappings.skeleton.index(of: root) != nil {
        graftedCounts[device.id] = part[below: root].entryCount
      }
    }
  }
}

extension PoolReader {
  /// Whether something is lost that may be found.
  var hasLosses: Bool {
    hasLostBranches || !lostTopLevel.isEmpty || !mappings.holes.isEmpty || hasRootlessDevices
  }

  /// Whether a device has lost its tree, and no damage of the list explains that.
  fileprivate var hasRootlessDevices: Bool {
    devices.contains { device in
      device.root == nil && !lostTopLevel.contains { $0.contains(device.id) }
    }
  }

  /// Whether nodes can't be used.
  var hasHoles: Bool {
    Deficits.Tree.allCases.contains { !holes(of: $0).isEmpty }
  }

  /// Whether other blocks may be below what is lost.
  var hasLostBranches: Bool {
    Deficits.Tree.allCases.contains { tree in
      holes(of: tree).values.contains { $0.height != 0 }
    }
  }

  /// The nodes of a kind of tree that can't be used.
  func holes(of tree: Deficits.Tree) -> [MetadataBlock: TreeWalk.Hole] {
    switch tree {
    case .topLevel: topLevel.holes
    case .details: details.holes
    case .mapping: mappings.holes
    }
  }
}
