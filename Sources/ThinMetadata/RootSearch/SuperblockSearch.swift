internal import PersistentData

/// Finds a pool whose superblock is lost, from everything else on the device.
package struct SuperblockSearch: Sendable {
  /// Made from what was found: its roots are the pool's, its counters only lower bounds.
  package let superblock: Superblock
  /// Other whole states that the device still holds; all but certainly older.
  package let otherStates: Int

  /// `nil` when the device holds no whole state of a pool.
  init?(_ file: BlockFile) {
    let census = BlockCensus(file)
    let states = census.indexBlocks.compactMap { PoolState(census, index: $0) }
    guard let newest = StateOrder(states, census).newestFirst.first else { return nil }
    otherStates = states.count - 1
    // Every copy of the superblock has the data block size, whatever else has changed since.
    let size = census.superblocks.values.map(\.dataBlockSectors)
      .first { Superblock.isPossible(dataBlockSectors: $0) }
    superblock = Superblock(
      time: 0, transactionID: 0,
      dataSpaceMap: SpaceMapRoot(
        blockCount: SuperblockSearch.countedBlocks(census, newest), allocatedCount: 0,
        bitmapRoot: UInt64(newest.dataIndexRoot), refCountRoot: 0),
      metadataSpaceMap: SpaceMapRoot(
        blockCount: census.blockCount, allocatedCount: 0, bitmapRoot: UInt64(newest.index),
        refCountRoot: 0),
      mappingRoot: UInt64(newest.mappingRoot), detailsRoot: UInt64(newest.detailsRoot),
      dataBlockSectors: size ?? 0, metadataBlockCount: census.blockCount)
  }

  /// Data blocks that the state's bitmaps can count: no fewer than the pool has.
  private static func countedBlocks(_ census: BlockCensus, _ state: PoolState) -> UInt64 {
    var bitmaps: UInt64 = 0
    var open = [state.dataIndexRoot]
    while let block = open.popLast() {
      guard let node = census.nodes[block], bitmaps <= census.blockCount else { continue }
      if node.kind == .leaf { bitmaps += UInt64(node.pointers.count) } else { open += node.pointers }
    }
    return bitmaps * UInt64(Bitmap.entryCount)
  }
}
