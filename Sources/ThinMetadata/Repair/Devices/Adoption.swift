internal import PersistentData

/// Trees that nothing leads to, matched with the devices whose entry in the list is lost.
///
/// First by older lists of devices, then by branches of older trees, then by size. Each match may
/// leave another device without rivals.
struct Adoption {
  private(set) var devices: [ThinDevice]
  /// Ids of devices that got a tree.
  private(set) var adopted: [UInt64] = []
  /// Trees not matched yet, and how many devices each belongs to.
  private var open: [MetadataBlock: Int] = [:]
  /// Indices of devices without a tree.
  private var waiting: Set<Int> = []
  private let totals: SubtreeTotals
  private let census: BlockCensus
  private let lists: OldLists

  init(_ orphans: [Deficits.Candidate], _ pool: PoolReading, _ census: BlockCensus) {
    let reader = pool.reader
    devices = reader.devices
    totals = pool.counts.totals
    self.census = census
    lists = OldLists(census, reader.devices)
    for orphan in orphans where reader.mappings.isUsable(orphan.block) {
      open[orphan.block] = orphan.missing
    }
    // A tree of the metadata snapshot is an older one of some device: no live device may get it. A
    // device whose details are lost too may have any of the trees.
    if !reader.hasLostHeldTrees, reader.lostDetails.isEmpty {
      waiting = Set(devices.indices.filter { devices[$0].root == nil })
    }
  }

  /// Gives every tree to its device where that is clear.
  mutating func match() {
    matchByOldLists()
    matchByOldTrees()
    matchBySize()
    matchLast()
    adopted.sort()
  }

  /// Trees with mappings that no device got.
  var rest: [MetadataBlock] { open.keys.sorted().filter { size($0) > 0 } }

  /// Ids that devices once had.
  var oldIDs: Set<UInt64> { Set(lists.roots.keys) }

  private func size(_ tree: MetadataBlock) -> UInt64 { totals[below: tree].entryCount }

  /// Whether a device can have a tree, by its size and by older lists.
  private func mayHave(_ device: Int, _ tree: MetadataBlock) -> Bool {
    guard let wanted = devices[device].details?.mappedBlocks else { return false }
    // What can be read of a damaged tree is smaller.
    let fits = totals[below: tree].hasDamage ? size(tree) < wanted : size(tree) == wanted
    return fits && !lists.excludes(devices[device].id, from: tree)
  }

  private mutating func give(_ device: Int, _ tree: MetadataBlock) {
    devices[device].root = tree
    adopted.append(devices[device].id)
    waiting.remove(device)
    let rest = open[tree, default: 1] - 1
    open[tree] = rest > 0 ? rest : nil
  }

  /// Matches trees that an older list gives to a device, and that no other device can have.
  private mutating func matchByOldLists() {
    var isGiving = true
    while isGiving {
      isGiving = false
      for device in waiting.sorted() {
        let known = lists.roots[devices[device].id, default: []].filter { tree in
          open[tree] != nil && mayHave(device, tree)
        }
        guard known.count == 1, let tree = known.first,
          waiting.count(where: { mayHave($0, tree) }) <= open[tree, default: 0]
        else { continue }
        give(device, tree)
        isGiving = true
      }
    }
  }

  /// Matches trees by branches that only one device's older trees had.
  private mutating func matchByOldTrees() {
    let ancestry = TreeAncestry(lists.roots, census)
    for (devices, trees) in groupsOfOneSize {
      let ids = devices.map { self.devices[$0].id }
      guard lists.tellApart(ids) else { continue }
      for (device, tree) in ancestry.matches(ids, trees) { give(devices[device], trees[tree]) }
    }
  }

  /// Devices and trees of the same size, where there are both.
  private var groupsOfOneSize: [(devices: [Int], trees: [MetadataBlock])] {
    let waiting = waitingBySize
    let trees = openBySize
    return waiting.compactMap { size, devices in
      guard let size, size > 0, let trees = trees[size] else { return nil }
      return (devices.sorted(), trees.sorted())
    }
  }

  private var waitingBySize: [UInt64?: [Int]] {
    Dictionary(grouping: waiting) { devices[$0].details?.mappedBlocks }
  }

  private var openBySize: [UInt64: [MetadataBlock]] { Dictionary(grouping: open.keys) { size($0) } }

  /// Matches where all devices of a size share one tree, or where any tree will do.
  private mutating func matchBySize() {
    let trees = openBySize
    for (size, rivals) in waitingBySize {
      guard let size, let trees = trees[size] else { continue }
      // One more than there are devices is enough to see that there are too many.
      let given = trees.sorted().flatMap {
        Array(repeating: $0, count: min(open[$0, default: 0], rivals.count + 1))
      }
      guard given.count == rivals.count, trees.count == 1 || size == 0 else { continue }
      for (device, tree) in zip(rivals.sorted(), given) { give(device, tree) }
    }
  }

  /// Matches the one tree that is left with the one device that is left.
  private mutating func matchLast() {
    if let device = waiting.first, waiting.count == 1, open.count == 1,
      let (tree, count) = open.first, count == 1, mayHave(device, tree)
    {
      give(device, tree)
    }
  }
}
