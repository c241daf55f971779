package import PersistentData

/// Puts back what nothing leads to any more: subtrees whose parent is lost, and mappings of lost
/// leaves that can be told.
///
/// A lost node is written anew, in memory, from what the space maps say of its children or its
/// mappings; then the pool is walked again as if nothing had happened to that node.
package struct Grafting: Sendable {
  /// As many lost nodes in one line of descent can be made anew, from the top down.
  private static let rounds = 4
  /// More lost leaves than this are no accident of a few blocks.
  private static let mostLeaves = 1024

  /// Mappings of lost leaves that are less sure than this are not brought back.
  package let acceptance: Provenance

  /// Blocks of trees that can't be used, as they stand on the device.
  package private(set) var damagedBlocks: [DamagedBlock] = []
  /// Lost internal nodes that were made anew.
  package private(set) var nodes: [MetadataBlock] = []
  /// Devices whose tree was found though nothing led to it.
  package private(set) var adopted: [UInt64] = []
  /// Devices made up for trees that belong to somebody, nobody can tell to whom.
  package private(set) var strangers: [UInt64] = []
  /// Leaves that are lost, with what could be told of their mappings; `nil` when nothing could be
  /// told of any.
  package private(set) var lostLeaves: LostLeaves?
  /// How many mappings of each device came back with internal nodes that were made anew.
  package private(set) var graftedCounts: [UInt64: UInt64] = [:]

  package init(accepting acceptance: Provenance = .proven) { self.acceptance = acceptance }

  /// Walks the pool, grafts, and walks again until there is nothing more to be had.
  mutating func walk(
    _ read: (RootChoice) throws(IOError) -> (PoolReader, RefCounts)
  ) throws(IOError) -> (PoolReader, RefCounts) {
    var (reader, counts) = try read(RootChoice())
    damagedBlocks = DamagedBlock.list(reader.findings, in: reader.file)
    guard !reader.lostTopLevel.isEmpty || !reader.mappings.holes.isEmpty else {
      return (reader, counts)
    }
    let census = BlockCensus(reader.file)
    for _ in 0..<Grafting.rounds where Grafting.hasLostBranches(reader) {
      let deficits = Deficits(reader, census)
      let made = makeNodes(reader, census, deficits)
      if made.isEmpty { break }
      nodes += made
      (reader, counts) = try read(RootChoice())
    }
    if !reader.lostTopLevel.isEmpty {
      let orphans = Deficits(reader, census).candidates
      var choice = RootChoice()
      choice.orphans = orphans.map { MetadataBlock($0.block) }
      if !orphans.isEmpty {
        (reader, counts) = try read(choice)
        adopt(orphans, &reader, census)
      }
    }
    noteGrafted(reader)
    if reader.lostTopLevel.isEmpty, remakeLeaves(reader, counts, census) {
      (reader, counts) = try read(RootChoice())
    }
    return (reader, counts)
  }

  /// Whether mappings may hang on what is lost.
  private static func hasLostBranches(_ reader: PoolReader) -> Bool {
    reader.lostTopLevel.isEmpty && reader.mappings.holes.values.contains { $0.height != 0 }
  }

  private mutating func noteGrafted(_ reader: PoolReader) {
    let totals = reader.mappingTotals
    let part = totals.limited(to: Set(nodes))
    for device in reader.devices {
      guard let root = device.root else { continue }
      if adopted.contains(device.id) || strangers.contains(device.id) {
        graftedCounts[device.id] = totals[below: root.number].entryCount
      } else if reader.mappings.skeleton.index(of: root) != nil {
        graftedCounts[device.id] = part[below: root.number].entryCount
      }
    }
  }

  // MARK: Lost leaves

  /// Works out what lost leaves stored, and puts what is accepted of it into leaves made anew.
  /// Returns whether there are any.
  private mutating func remakeLeaves(
    _ reader: PoolReader, _ counts: RefCounts, _ census: BlockCensus
  ) -> Bool {
    let metadata = Deficits(reader, census)
    guard let lost = LostLeaves(reader, rootsAreLeaves: !metadata.hasUnreached),
      lost.leaves.count <= Grafting.mostLeaves
    else { return false }
    let deficits = DataDeficits(reader, counts)
    let superseded = SupersededLeaves(reader, census, lost.leaves, deficits) {
      metadata.isInUse($0)
    }
    var book = ClaimBook(lost, deficits, Survivors(reader, of: deficits.shared))
    book.add(superseded.copies)
    book.fillUp()
    let result = book.result
    lostLeaves = result
    var isAnyMade = false
    for leaf in result.leaves {
      let claims = leaf.claims(upTo: acceptance)
      if claims.isEmpty { continue }
      let contents = BTreeNode.make(
        .leaf, leaf.block, keys: claims.map(\.key), values: claims.map(\.mapping.value))
      reader.file.standIn(for: leaf.block, contents)
      isAnyMade = true
    }
    return isAnyMade
  }

  // MARK: Lost internal nodes

  private func makeNodes(
    _ reader: PoolReader, _ census: BlockCensus, _ deficits: Deficits
  ) -> [MetadataBlock] {
    let holes = reader.mappings.holes.filter { $0.value.height != 0 }
    var children: [MetadataBlock: [UInt32]] = [:]
    for (block, missing) in deficits.candidates {
      let fitting = holes.filter { fits(block, $0.value, census) }
      // As many places as there are references missing: no doubt. Otherwise it stays out.
      guard fitting.count == missing else { continue }
      for hole in fitting.keys { children[hole, default: []].append(block) }
    }
    return children.sorted { $0.key < $1.key }.compactMap { hole, blocks in
      guard let contents = node(hole, over: blocks, census) else { return nil }
      reader.file.standIn(for: hole, contents)
      return hole
    }
  }

  private func fits(_ block: UInt32, _ hole: TreeWalk.Hole, _ census: BlockCensus) -> Bool {
    guard let keys = census.nodes[block]?.keys, let height = census.height(block)
    else { return false }
    if let wanted = hole.height, height != wanted - 1 { return false }
    return keys.lowerBound >= hole.reference.first && keys.upperBound <= hole.reference.last
  }

  /// A node over these children; `nil` when they can't all be of one node.
  private func node(
    _ block: MetadataBlock, over blocks: [UInt32], _ census: BlockCensus
  ) -> BlockBuffer? {
    let children = blocks.compactMap { child in
      census.nodes[child]?.keys.map { (block: child, keys: $0) }
    }.sorted { $0.keys.lowerBound < $1.keys.lowerBound }
    let maximum = BTreeNode.maximumEntries(valueSize: BTreeNode.pointerSize)
    guard !children.isEmpty, children.count <= maximum,
      Set(children.map { census.height($0.block) }).count == 1,
      zip(children, children.dropFirst()).allSatisfy({
        $0.keys.upperBound < $1.keys.lowerBound
      })
    else { return nil }
    return BTreeNode.make(
      .internal, block, keys: children.map(\.keys.lowerBound),
      values: children.map { UInt64($0.block) })
  }

  // MARK: Lost entries of devices

  /// Gives trees back to the devices whose entry is lost.
  private mutating func adopt(
    _ orphans: [(block: UInt32, missing: Int)], _ reader: inout PoolReader, _ census: BlockCensus
  ) {
    let totals = reader.mappingTotals
    func size(_ block: UInt32) -> UInt64 { totals[below: block].entryCount }
    // Trees still to be given away, and how many devices each belongs to.
    var open: [UInt32: Int] = [:]
    for orphan in orphans where reader.mappings.isUsable(MetadataBlock(orphan.block)) {
      open[orphan.block] = orphan.missing
    }
    var places = Set(reader.devices.indices.filter { reader.devices[$0].root == nil })
    func give(_ place: Int, _ block: UInt32) {
      reader.devices[place].root = MetadataBlock(block)
      adopted.append(reader.devices[place].id)
      places.remove(place)
      let rest = open[block, default: 1] - 1
      open[block] = rest > 0 ? rest : nil
    }

    // First by descent: an older list of devices that still names a tree in use.
    let named = Grafting.oldEntries(census)
    for place in places.sorted() {
      let device = reader.devices[place]
      let known = named[device.id, default: []].filter { block in
        open[block] != nil && size(block) == device.details?.mappedBlocks
      }
      if known.count == 1, let block = known.first { give(place, block) }
    }
    // Then by size, where only one tree and one device are of it; or where any tree will do.
    let rivals = Dictionary(grouping: places) { reader.devices[$0].details?.mappedBlocks }
    let trees = Dictionary(grouping: open.keys) { size($0) }
    for (wanted, rivals) in rivals {
      guard let wanted, let trees = trees[wanted] else { continue }
      let blocks = trees.sorted().flatMap { Array(repeating: $0, count: open[$0, default: 0]) }
      guard blocks.count == rivals.count, trees.count == 1 || wanted == 0 else { continue }
      for (place, block) in zip(rivals.sorted(), blocks) { give(place, block) }
    }
    adopted.sort()
    keepStrangers(open.keys.sorted().filter { size($0) > 0 }, &reader)
  }

  /// Which trees each device had in lists of devices that are no longer in use.
  private static func oldEntries(_ census: BlockCensus) -> [UInt64: Set<UInt32>] {
    var entries: [UInt64: Set<UInt32>] = [:]
    for node in census.nodes.values {
      for (id, block) in zip(node.deviceIDs, node.pointers)
      where id <= DeviceDetails.deviceIDMaximum {
        entries[id, default: []].insert(block)
      }
    }
    return entries
  }

  /// A tree in use that can't be matched is kept under an id of its own, so that its blocks are
  /// not given out again.
  private mutating func keepStrangers(_ blocks: [UInt32], _ reader: inout PoolReader) {
    var id = DeviceDetails.deviceIDMaximum
    let taken = Set(reader.devices.map(\.id))
    for block in blocks {
      while taken.contains(id), id > 0 { id -= 1 }
      guard id > 0 else { return }
      reader.devices.append(ThinDevice(id: id, root: MetadataBlock(block), details: nil))
      strangers.append(id)
      id -= 1
    }
    reader.devices.sort { $0.id < $1.id }
  }
}
