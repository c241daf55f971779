/// The number of a metadata block: 4096 bytes at `number * 4096` on the metadata device.
///
/// Thirty-two bits are enough: the largest metadata device the kernel uses has 4,161,600 blocks. A
/// number read from disk becomes a `MetadataBlock` only once it is known to lie on the device.
package struct MetadataBlock: Hashable, Comparable, Sendable {
  /// Bytes in a metadata block.
  package static let size = 4096
  /// Sectors (512 bytes) in a metadata block.
  package static let sectors: UInt32 = 8
  /// The most blocks that the kernel can use: 255 bitmaps of 16,320 entries.
  ///
  /// Source: Linux, drivers/md/persistent-data/dm-space-map-metadata.h,
  /// `DM_SM_METADATA_MAX_BLOCKS`.
  package static let maximumCount: UInt64 = 255 * 16_320

  package static let superblock = MetadataBlock(0)

  @usableFromInline package let number: UInt32

  @inlinable package init(_ number: UInt32) { self.number = number }

  /// `nil` when the device, `count` blocks long, has no such block, or when it is block 0: the
  /// superblock is never the target of a pointer.
  @inlinable package init?(pointer: UInt64, count: UInt64) {
    guard pointer != 0, pointer < count, let number = UInt32(exactly: pointer) else { return nil }
    self.number = number
  }

  /// `index`: in a table with an entry for each block of a device.
  @inlinable package init(index: Int) { number = UInt32(index) }

  /// The block after this one, if the device has one.
  package var next: MetadataBlock { MetadataBlock(number &+ 1) }

  @inlinable package var index: Int { Int(number) }

  @inlinable package static func < (left: MetadataBlock, right: MetadataBlock) -> Bool {
    left.number < right.number
  }
}

extension MetadataBlock: CustomStringConvertible {
  package var description: String { String(number) }
}
