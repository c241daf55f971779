package import PersistentData

/// Free metadata space as the kernel sees it.
package struct MetadataSpace: Sendable {
  package let free: UInt64
  /// Blocks that the kernel keeps back so that it can always commit.
  ///
  /// Source: Linux, drivers/md/dm-thin-metadata.c, `__set_metadata_reserve`.
  package let reserve: UInt64
  /// Below this the kernel sends an event.
  ///
  /// Source: Linux, drivers/md/dm-thin.c, `calc_metadata_threshold`.
  package let lowWatermark: UInt64

  package init(free: UInt64, of blockCount: UInt64) {
    self.free = free
    reserve = min(4096, blockCount / 10)
    lowWatermark = min(1024, blockCount / 4)
  }

  /// What the root of the metadata space map says, taken at face value.
  package init(_ map: SpaceMapRoot) {
    self.init(free: map.blockCount - min(map.blockCount, map.allocatedCount), of: map.blockCount)
  }

  package var isFull: Bool { free <= reserve }
  package var isLow: Bool { free < lowWatermark }
}
