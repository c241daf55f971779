internal import PersistentData

/// A part of a pool that may be wrong where the pool contradicts itself, and how it is then read.
enum Suspect: Hashable, Sendable {
  /// A node: it is treated as lost.
  case node(MetadataBlock)
  /// A leaf of the list of devices: its contradicted pointers lead nowhere.
  case pointers(MetadataBlock)
  /// A leaf of the list of devices: its pointer to the tree of this device leads nowhere.
  case root(MetadataBlock, device: UInt64)
  /// An entry of a leaf of mapping trees: it really maps this data block.
  case mapping(MetadataBlock, key: UInt64, dataBlock: UInt64)
  /// A block of a space map: the whole map is no evidence.
  case dataSpaceMap
  case metadataSpaceMap
  /// The superblock's pointers: they lead where its own counts say they must.
  case superblockRoots
  /// The superblock: it is older than the pool.
  case superblock

  /// More suspects than this are not looked at.
  static let limit = 64
  /// The most nodes of trees of the wrong size that are looked at.
  private static let maxNodesAtOdds = 16

  /// The block of a tree, or the superblock, that is wrong; `nil` for space maps.
  var block: MetadataBlock? {
    switch self {
    case .node(let block), .pointers(let block), .root(let block, _), .mapping(let block, _, _):
      block
    case .superblockRoots, .superblock: .superblock
    case .dataSpaceMap, .metadataSpaceMap: nil
    }
  }

  var isSpaceMap: Bool { self == .dataSpaceMap || self == .metadataSpaceMap }

  /// Whether both blame the same block: then they are one explanation.
  func isSamePlace(as other: Suspect) -> Bool {
    self == other || block != nil && block == other.block
  }
}

extension Suspect {
  /// All suspects for what `judgement` found, the most likely first.
  static func list(
    _ judgement: PoolJudgement, _ contested: Contested, _ census: BlockCensus
  ) -> [Suspect] {
    let reader = judgement.reader
    var suspects: [Suspect] = []
    for list in contested.lists.sorted() {
      if !hasOtherDevices(reader) { suspects.append(.pointers(list)) }
      suspects.append(.node(list))
    }
    let parents = contested.parents.union(possibleParents(judgement, contested, census))
    suspects += byContested(parents, reader.mappings, contested.targets).map(Suspect.node)
    let lostLists = Set(reader.topLevel.holes.keys).union(reader.details.holes.keys)
    suspects += contested.details.union(lostLists).sorted().map(Suspect.node)
    suspects += rootsAtOdds(judgement)
    suspects += exchanged(judgement, contested)
    let covering = contested.leaves.sorted {
      ($1.entries.count, $0.block) < ($0.entries.count, $1.block)
    }
    suspects += covering.map { .node($0.block) }
    // A current superblock leads to complete counts. On a truncated device, missing counts prove
    // nothing, and what is left would be an older state.
    let map = reader.superblock.metadataSpaceMap
    let isCurrent = judgement.metadata.isComplete || map.blockCount > reader.usage.blockCount
    if !isCurrent, judgement.reader.hasListsAtOdds || isLedAstray(judgement) {
      suspects.append(.superblock)
    }
    if isPossible(dataSpaceMap: judgement) { suspects.append(.dataSpaceMap) }
    if !judgement.metadata.all.isEmpty, !judgement.mayHaveWrongPointer {
      suspects.append(.metadataSpaceMap)
    }
    if judgement.reader.hasListsAtOdds, judgement.isContradicted {
      suspects += (reader.details.leaves.keys.sorted() + reader.topLevel.leaves.keys.sorted())
        .map(Suspect.node)
    }
    var seen: Set<Suspect> = []
    return Array(suspects.filter { seen.insert($0).inserted }.prefix(limit))
  }

  /// Whether the two lists have different devices: then one of them may be older as a whole.
  private static func hasOtherDevices(_ reader: PoolReader) -> Bool {
    let listed = Set(reader.topLevel.leaves.values.flatMap { $0.map(\.0) })
    return reader.devices.contains { !listed.contains($0.id) || $0.details == nil }
  }

  /// Nodes, those with the most contested children first.
  private static func byContested(
    _ nodes: Set<MetadataBlock>, _ walk: TreeWalk, _ targets: Set<MetadataBlock>
  ) -> [MetadataBlock] {
    let skeleton = walk.skeleton
    return nodes.map { block in
      let entries = skeleton.index(of: block).map { skeleton.nodes[$0].entries } ?? 0..<0
      let count = skeleton.children[entries].map(MetadataBlock.init).count {
        targets.contains($0) || $0 == .superblock
      }
      return (count: count, block: block)
    }.sorted { ($1.count, $0.block) < ($0.count, $1.block) }.map(\.block)
  }

  /// If nothing has too many references, but nodes in use aren't reached: the nodes that may have
  /// led to them.
  private static func possibleParents(
    _ judgement: PoolJudgement, _ contested: Contested, _ census: BlockCensus
  ) -> Set<MetadataBlock> {
    guard contested.targets.isEmpty, contested.leaves.isEmpty else { return [] }
    let orphans = Deficits(judgement.reader, census).candidates.filter { $0.tree == .mapping }
    var parents: Set<MetadataBlock> = []
    for orphan in orphans.prefix(limit) {
      guard let keys = census.nodes[orphan.block]?.keys, let height = census.height(orphan.block)
      else { continue }
      for node in judgement.reader.mappings.skeleton.nodes
      where node.height == height + 1 && node.first <= keys.lowerBound
        && node.last >= keys.upperBound
      {
        parents.insert(node.block)
      }
    }
    return parents
  }

  /// If devices don't have as many mappings as their details say, and nodes in use aren't reached:
  /// the pointers to the trees of these devices.
  private static func rootsAtOdds(_ judgement: PoolJudgement) -> [Suspect] {
    if judgement.metadata.deficits.isEmpty { return [] }
    let odd = Set(judgement.mappedAtOdds)
    return judgement.reader.topLevel.leaves.flatMap { block, entries in
      entries.filter { odd.contains($0.0) }.map { Suspect.root(block, device: $0.0) }
    }.sorted { ($0.block ?? .superblock) < ($1.block ?? .superblock) }
  }

  /// The upper nodes of trees whose size differs from their devices' details, without those shared
  /// with a device whose tree has the right size.
  static func nodesAtOdds(_ judgement: PoolJudgement) -> [Suspect] {
    let odd = judgement.devicesAtOdds.compactMap(\.root)
    if odd.isEmpty { return [] }
    let mappings = judgement.reader.mappings
    let borneOut = judgement.nodesBorneOut()
    let nodes = odd.reduce(into: Set<MetadataBlock>()) {
      $0.formUnion(mappings.internalNodes(below: $1))
    }.filter { !borneOut.contains($0) }
    return nodes.sorted {
      (mappings.skeleton.index(of: $0) ?? 0, $0) < (mappings.skeleton.index(of: $1) ?? 0, $1)
    }.prefix(maxNodesAtOdds).map(Suspect.node)
  }

  /// If one data block has too many references and another one as many too few: each entry that may
  /// map the one instead of the other.
  private static func exchanged(
    _ judgement: PoolJudgement, _ contested: Contested
  ) -> [Suspect] {
    let deficits = judgement.data.deficits
    guard let surplus = judgement.data.surpluses.first,
      let deficit = deficits.first, deficits.count == 1, deficit.length == 1,
      surplus.length == 1, judgement.surplusData.count == 1,
      deficit.stored - deficit.counted == surplus.counted - surplus.stored
    else { return [] }
    return contested.leaves.flatMap { leaf in
      leaf.entries.map {
        .mapping(leaf.block, key: $0.key, dataBlock: deficit.blocks.lowerBound)
      }
    }
  }

  /// Whether the superblock leads to blocks that can't be its roots.
  static func isLedAstray(_ judgement: PoolJudgement) -> Bool {
    let superblock = judgement.reader.superblock
    return [superblock.mappingRoot, superblock.detailsRoot].contains { root in
      guard let block = UInt32(exactly: root).map(MetadataBlock.init) else { return true }
      return judgement.surplusBlocks.contains(block)
    } || judgement.reader.topLevel.isLedAstray || judgement.reader.details.isLedAstray
      || !judgement.reader.topLevel.holes.isEmpty || !judgement.reader.details.holes.isEmpty
  }

  /// Whether a single wrong block of the data space map can explain everything: one that has too
  /// many references itself; a bitmap that was as full as its index says; or large counts.
  private static func isPossible(dataSpaceMap judgement: PoolJudgement) -> Bool {
    if !judgement.surplusMapBlocks.isEmpty { return true }
    // It may lead to a block of the trees.
    if !judgement.data.isComplete, !judgement.surplusBlocks.isEmpty { return true }
    let differences = judgement.data.all
    if differences.isEmpty { return false }
    if differences.allSatisfy({ $0.stored >= 3 || $0.counted >= 3 }) { return true }
    let places = Set(differences.map { $0.blocks.lowerBound / UInt64(Bitmap.entryCount) })
    let gained = differences.lazy.filter { $0.stored == 0 }.reduce(UInt64(0)) { $0 + $1.length }
    let gone = differences.lazy.filter { $0.counted == 0 }.reduce(UInt64(0)) { $0 + $1.length }
    return places.count == 1 && gained <= gone
  }
}
