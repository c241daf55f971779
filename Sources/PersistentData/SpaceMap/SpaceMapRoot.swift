/// The root of a space map, as embedded in superblocks.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-common.h, `struct disk_sm_root`.
package struct SpaceMapRoot: Hashable, Sendable {
  package enum Layout {
    package static let blockCount = Field<UInt64>(at: 0)  // blocks that are counted
    package static let allocatedCount = Field<UInt64>(at: 8)  // those with a count above 0
    package static let bitmapRoot = Field<UInt64>(at: 16)  // index: a tree, or one block
    package static let refCountRoot = Field<UInt64>(at: 24)  // tree: block to count, if 3 or more
    package static let size = 32
    /// Bytes that a superblock sets aside for a root.
    package static let reservedSize = 128
  }

  package var blockCount: UInt64
  package var allocatedCount: UInt64
  package var bitmapRoot: UInt64
  package var refCountRoot: UInt64

  package init(
    blockCount: UInt64, allocatedCount: UInt64, bitmapRoot: UInt64, refCountRoot: UInt64
  ) {
    self.blockCount = blockCount
    self.allocatedCount = allocatedCount
    self.bitmapRoot = bitmapRoot
    self.refCountRoot = refCountRoot
  }

  /// Decodes the root that starts `offset` bytes into `bytes`.
  package init(_ bytes: RawSpan, at offset: Int) {
    blockCount = bytes[Layout.blockCount.shifted(by: offset)]
    allocatedCount = bytes[Layout.allocatedCount.shifted(by: offset)]
    bitmapRoot = bytes[Layout.bitmapRoot.shifted(by: offset)]
    refCountRoot = bytes[Layout.refCountRoot.shifted(by: offset)]
  }

  package func encode(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes[Layout.blockCount.shifted(by: offset)] = blockCount
    bytes[Layout.allocatedCount.shifted(by: offset)] = allocatedCount
    bytes[Layout.bitmapRoot.shifted(by: offset)] = bitmapRoot
    bytes[Layout.refCountRoot.shifted(by: offset)] = refCountRoot
  }

  /// Bitmaps needed for the counted blocks.
  package var bitmapCount: UInt64 { Bitmap.count(for: blockCount) }
}
