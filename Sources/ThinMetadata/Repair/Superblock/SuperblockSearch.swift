internal import PersistentData

/// Finds a pool whose superblock is lost, from everything else on the device.
package struct SuperblockSearch: Sendable {
  /// Made from what was found: its roots are the pool's, its counters only lower bounds.
  package let superblock: Superblock
  /// Whether another state may be the newer one: it comes close, or is damaged, or blocks that the
  /// next commit would have taken hold metadata of no known state.
  package let isDoubtful: Bool
  /// Other states that the device still holds; all but certainly older.
  package let otherStates: Int

  /// Whether every index block on the device was looked at.
  package let isExhaustive: Bool

  /// Bytes for the allocated blocks of states, which limits how many are compared.
  private static let memory = 256 << 20
  /// The free blocks behind the newest state that are looked at for traces of another.
  private static let blocksAhead = 16

  init(_ file: BlockFile) throws(SalvageError) {
    let census = BlockCensus(file, purpose: "looking for the pool in all blocks")
    let candidates = SuperblockSearch.candidates(census)
    let states = SuperblockSearch.states(candidates, census)
    guard let (newest, isClear) = StateOrder(states, census).newest else {
      throw .nothingFound
    }
    guard let roots = newest.roots else { throw .newestStateDamaged(index: newest.index) }
    isExhaustive = candidates.count == census.indexBlocks.count
    otherStates = states.count - 1
    isDoubtful =
      !isClear || !states.allSatisfy(\.isWhole)
      || SuperblockSearch.hasTraces(behind: newest, states, census)
    // Every copy of the superblock has the data block size, whatever else has changed since.
    let size = census.superblocks.values.map(\.dataBlockSectors)
      .first { Superblock.isPossible(dataBlockSectors: $0) }
    superblock = Superblock(
      time: 0, transactionID: 0,
      dataSpaceMap: SpaceMapRoot(
        blockCount: SuperblockSearch.countedBlocks(census, roots), allocatedCount: 0,
        bitmapRoot: UInt64(roots.dataIndex?.number ?? 0), refCountRoot: 0),
      metadataSpaceMap: SpaceMapRoot(
        blockCount: census.blockCount, allocatedCount: 0, bitmapRoot: UInt64(newest.index.number),
        refCountRoot: 0),
      mappingRoot: UInt64(roots.mapping.number), detailsRoot: UInt64(roots.details.number),
      dataBlockSectors: size ?? 0, metadataBlockCount: census.blockCount)
  }

  private static func states(_ candidates: [MetadataBlock], _ census: BlockCensus) -> [PoolState] {
    var states = candidates.compactMap { PoolState(census, index: $0) }
    let all = states
    for place in states.indices { states[place].tellHeldRoots(by: all) }
    return states
  }

  /// A superblock that leads where its own counts say that it must: to those trees that nothing
  /// else leads to. `nil` when that isn't known, or when it already does.
  static func correction(of superblock: Superblock, _ census: BlockCensus) -> Superblock? {
    let map = superblock.metadataSpaceMap
    guard let index = MetadataBlock(pointer: map.bitmapRoot, count: census.blockCount),
      census.isIndexBlock(index), let roots = PoolState(census, index: index)?.roots
    else { return nil }
    let corrected = superblock.leading(to: roots)
    return corrected == superblock ? nil : corrected
  }

  /// A superblock that leads to the newest state found, in place of one that is older than the
  /// pool. Sizes are kept.
  static func successor(of superblock: Superblock, _ census: BlockCensus) -> Superblock? {
    let states = states(candidates(census), census)
    guard let newest = StateOrder(states, census).newest?.state, let roots = newest.roots
    else { return nil }
    var corrected = superblock.leading(to: roots)
    corrected.heldRoot = 0
    // Neither the roots of large counts nor the numbers of allocated blocks are known.
    corrected.metadataSpaceMap.bitmapRoot = UInt64(newest.index.number)
    for map in [\Superblock.dataSpaceMap, \Superblock.metadataSpaceMap] {
      corrected[keyPath: map].refCountRoot = 0
      corrected[keyPath: map].allocatedCount = 0
    }
    return corrected
  }

  /// The index blocks to look at: all of them, on all but very large devices. There, first those
  /// behind which nothing was written, then the lowest: where writing stops, and where it starts
  /// again after an activation.
  private static func candidates(_ census: BlockCensus) -> [MetadataBlock] {
    let limit = max(64, min(2000, memory / max(1, Int(census.blockCount) / 8)))
    guard census.indexBlocks.count > limit else { return census.indexBlocks }
    let ends = census.indexBlocks.filter { !census.isMetadata($0.next) }.suffix(limit / 2)
    let taken = Set(ends)
    let lowest = census.indexBlocks.lazy.filter { !taken.contains($0) }.prefix(limit - ends.count)
    return (ends + lowest).sorted()
  }

  /// Whether one of the next free blocks holds metadata of no known state: a newer state may have
  /// been there, or an older one in a reused part of the device.
  private static func hasTraces(
    behind newest: PoolState, _ states: [PoolState], _ census: BlockCensus
  ) -> Bool {
    // The next commit goes on behind the last; after an activation it starts from the beginning.
    for start in [newest.index, .superblock] {
      var block = start
      for _ in 0..<SuperblockSearch.blocksAhead {
        guard let next = newest.allocated.firstFree(from: block.next),
          UInt64(next.number) < census.blockCount
        else { break }
        if census.isMetadata(next), !states.contains(where: { $0.allocated.contains(next) }) {
          return true
        }
        block = next
      }
    }
    return false
  }

  /// Data blocks that the state's bitmaps can count: no fewer than the pool has.
  private static func countedBlocks(_ census: BlockCensus, _ roots: PoolState.Roots) -> UInt64 {
    guard let root = roots.dataIndex else { return Mapping.dataBlockMaximum + 1 }
    var bitmaps: UInt64 = 0
    var open = [root]
    var seen: Set<MetadataBlock> = []
    while let block = open.popLast() {
      guard let node = census.nodes[block], seen.insert(block).inserted else { continue }
      if node.isLeaf {
        bitmaps += UInt64(node.entryCount)
      } else {
        open += census.children(of: block)
      }
    }
    return bitmaps * UInt64(Bitmap.entryCount)
  }
}

extension Superblock {
  /// The same sizes and numbers, with other roots.
  fileprivate func leading(to roots: PoolState.Roots) -> Superblock {
    var other = self
    other.mappingRoot = UInt64(roots.mapping.number)
    other.detailsRoot = UInt64(roots.details.number)
    if let index = roots.dataIndex { other.dataSpaceMap.bitmapRoot = UInt64(index.number) }
    return other
  }

  /// Whether it is a metadata snapshot's copy of a superblock: without space maps. In block 0 it is
  /// out of place.
  ///
  /// Source: Linux, drivers/md/dm-thin-metadata.c, `__reserve_metadata_snap`.
  var isOfMetadataSnapshot: Bool {
    [dataSpaceMap, metadataSpaceMap].allSatisfy { $0.blockCount == 0 && $0.bitmapRoot == 0 }
  }
}
