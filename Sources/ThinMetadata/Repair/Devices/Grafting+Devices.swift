internal import PersistentData

extension Grafting {
  /// Gives trees back to the devices whose entry is lost.
  mutating func adopt(
    _ orphans: [Deficits.Candidate], _ reader: inout PoolReader, _ census: BlockCensus
  ) {
    let totals = reader.mappingTotals
    func size(_ block: UInt32) -> UInt64 { totals[below: block].entryCount }
    /// Whether a tree, without what damage hides of it, can have so many mappings.
    func fits(_ block: UInt32, _ wanted: UInt64?) -> Bool {
      guard let wanted else { return false }
      return totals[below: block].hasDamage ? size(block) < wanted : size(block) == wanted
    }
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

    /// Devices and trees of the same size, where there are several of either.
    func ties() -> [(places: [Int], blocks: [UInt32])] {
      let rivals = Dictionary(grouping: places) { reader.devices[$0].details?.mappedBlocks }
      let trees = Dictionary(grouping: open.keys) { size($0) }
      return rivals.compactMap { wanted, places in
        guard let wanted, wanted > 0, let blocks = trees[wanted] else { return nil }
        return (places.sorted(), blocks.sorted())
      }
    }

    // A tree of the metadata snapshot is an older one of some device: it must not become a live
    // one's.
    if reader.hasLostHeldTrees { places = [] }

    // A device whose details are lost too may have any of the trees.
    if !reader.lostDetails.isEmpty { places = [] }

    // First those of which an older list says who has them, and of no other who may; each that is
    // given away may leave another without rivals.
    let lists = OldLists(census, reader.devices)
    func mayHave(_ place: Int, _ block: UInt32) -> Bool {
      let device = reader.devices[place]
      return fits(block, device.details?.mappedBlocks)
        && !lists.excludes(device.id, from: block)
    }
    var isGiving = true
    while isGiving {
      isGiving = false
      for place in places.sorted() {
        let known = lists.roots[reader.devices[place].id, default: []].filter { block in
          open[block] != nil && mayHave(place, block)
        }
        guard known.count == 1, let block = known.first,
          places.count(where: { mayHave($0, block) }) <= open[block, default: 0]
        else { continue }
        give(place, block)
        isGiving = true
      }
    }
    // Then by branches that only this device's older trees had.
    let descent = Descent(lists.roots, census)
    for (places, blocks) in ties() {
      let ids = places.map { reader.devices[$0].id }
      guard lists.tellApart(ids) else { continue }
      for (place, block) in descent.matches(ids, blocks) { give(places[place], blocks[block]) }
    }
    // Then by size, where only one tree and one device are of it; or where any tree will do.
    let rivals = Dictionary(grouping: places) { reader.devices[$0].details?.mappedBlocks }
    let trees = Dictionary(grouping: open.keys) { size($0) }
    for (wanted, rivals) in rivals {
      guard let wanted, let trees = trees[wanted] else { continue }
      // One more than there are devices is as many as any number.
      let blocks = trees.sorted().flatMap {
        Array(repeating: $0, count: min(open[$0, default: 0], rivals.count + 1))
      }
      guard blocks.count == rivals.count, trees.count == 1 || wanted == 0 else { continue }
      for (place, block) in zip(rivals.sorted(), blocks) { give(place, block) }
    }
    // Last, the one tree that is left for the one device that is.
    if let place = places.first, places.count == 1, open.count == 1,
      let (block, count) = open.first, count == 1, mayHave(place, block)
    {
      give(place, block)
    }
    adopted.sort()
    keepStrangers(
      open.keys.sorted().filter { size($0) > 0 }, &reader, avoiding: Set(lists.roots.keys))
  }

  /// A tree in use that can't be matched is kept under an id of its own, so that its blocks are
  /// not given out again.
  ///
  /// A snapshot starts with the tree of the device that it is one of. When one of the two has its
  /// first write, it has a new tree, most often of the same size, and then only a list of devices
  /// that was written since tells which: trees, details and mappings say the same for either.
  ///
  /// `known`: ids that devices once had, and some may still.
  private mutating func keepStrangers(
    _ blocks: [UInt32], _ reader: inout PoolReader, avoiding known: Set<UInt64>
  ) {
    var id = DeviceDetails.deviceIDMaximum
    let taken = known.union(reader.devices.map(\.id))
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
