/// A space map's index entry for one bitmap.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-common.h, `struct disk_index_entry`.
package struct IndexEntry: Hashable, Sendable {
  package enum Layout {
    package static let block = Field<UInt64>(at: 0)  // where the bitmap lives
    package static let freeCount = Field<UInt32>(at: 8)  // entries that are 0
    package static let noneFreeBefore = Field<UInt32>(at: 12)  // a lower bound of the first 0
    package static let size = 16
  }

  package var block: UInt64
  package var freeCount: UInt32
  package var noneFreeBefore: UInt32

  package init(block: UInt64, freeCount: UInt32, noneFreeBefore: UInt32) {
    self.block = block
    self.freeCount = freeCount
    self.noneFreeBefore = noneFreeBefore
  }

  /// Decodes the entry that starts `offset` bytes into `bytes`.
  package init(_ bytes: RawSpan, at offset: Int) {
    block = bytes[Layout.block.shifted(by: offset)]
    freeCount = bytes[Layout.freeCount.shifted(by: offset)]
    noneFreeBefore = bytes[Layout.noneFreeBefore.shifted(by: offset)]
  }

  package func encode(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes[Layout.block.shifted(by: offset)] = block
    bytes[Layout.freeCount.shifted(by: offset)] = freeCount
    bytes[Layout.noneFreeBefore.shifted(by: offset)] = noneFreeBefore
  }
}

/// The index of the metadata space map: one block with an entry for each possible bitmap.
///
/// Entries beyond the last bitmap may hold anything. The data space map's index is a B-tree of
/// the same entries.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-common.h, `struct disk_metadata_index`.
package enum MetadataIndex {
  package enum Layout {
    package static let checksum = Field<UInt32>(at: 0)  // CRC-32C of bytes 4..<4096, index salt
    package static let padding = Field<UInt32>(at: 4)
    package static let block = Field<UInt64>(at: 8)  // metadata block this index lives in
    package static let size = 16  // bytes; the entries start here
  }

  /// Entries in the block, used or not.
  package static let entryCount = (MetadataBlock.size - Layout.size) / IndexEntry.Layout.size

  /// The offset of bitmap `index`'s entry.
  package static func offset(of index: Int) -> Int {
    Layout.size + index * IndexEntry.Layout.size
  }
}
