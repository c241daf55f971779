internal import PersistentData

/// What a generated cache looks like.
package struct CacheShape: Hashable, Sendable {
  /// Sectors in a cache block.
  package var dataBlockSectors: UInt32 = 128
  package var cacheBlocks: UInt32 = 10_240
  package var originBlocks: UInt64 = 1_048_576
  /// Of a million cache blocks, how many hold a block of the origin.
  package var residentPerMillion: UInt64 = 800_000
  /// Of a million of those, how many are dirty.
  package var dirtyPerMillion: UInt64 = 500_000
  /// Blocks of the origin that are cached side by side.
  package var hotspotBlocks: UInt64 = 1
  package var seed: UInt64 = 1

  private static let million: UInt64 = 1_000_000

  package init() {}

  /// Cache blocks that hold something.
  package var residentBlocks: UInt64 {
    UInt64(cacheBlocks) * residentPerMillion / CacheShape.million
  }
  package var dirtyBlocks: UInt64 { residentBlocks * dirtyPerMillion / CacheShape.million }
  /// Places on the origin where hotspots can be.
  var hotspots: UInt64 { originBlocks / hotspotBlocks }

  /// What is wrong with the numbers, as a sentence; `nil` when such a cache can be made.
  package var problem: String? {
    guard CacheSuperblock.isPossible(dataBlockSectors: dataBlockSectors) else {
      return "the cache block size is a multiple of \(CacheSuperblock.dataBlockSectorsUnit) "
        + "sectors, at most \(CacheSuperblock.dataBlockSectorsMaximum)"
    }
    guard residentPerMillion <= CacheShape.million, dirtyPerMillion <= CacheShape.million else {
      return "no more than 100 percent of the blocks can be resident, or dirty"
    }
    guard originBlocks <= CacheMapping.originBlockEnd else {
      return "an origin has \(CacheMapping.originBlockEnd) blocks at most"
    }
    guard hotspotBlocks > 0 else { return "a hotspot has at least 1 block" }
    let needed =
      residentBlocks / hotspotBlocks + (residentBlocks % hotspotBlocks == 0 ? 0 : 1)
    guard hotspots >= needed else {
      return "\(residentBlocks) blocks can't be resident: the origin has too few"
    }
    return nil
  }
}
