/// A bitmap of a space map: two bits for each of 16,320 blocks.
///
/// Bit 2k of the entries is the high bit of block k's count and bit 2k + 1 the low one; 3 means 3
/// or more, and then the tree of large counts has the number.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-common.h, `struct disk_bitmap_header`.
package struct Bitmap: ~Escapable {
  package enum Layout {
    package static let checksum = Field<UInt32>(at: 0)  // CRC-32C of bytes 4..<4096, bitmap salt
    package static let unused = Field<UInt32>(at: 4)
    package static let block = Field<UInt64>(at: 8)  // metadata block this bitmap lives in
    package static let size = 16  // bytes; the entries start here
  }

  /// Entries in a bitmap.
  package static let entryCount = 4 * (MetadataBlock.size - Layout.size)
  /// Entries in a word of eight bytes.
  package static let entriesPerWord = 32
  /// The first bit of each entry in a word.
  package static let lowBits: UInt64 = 0x5555_5555_5555_5555
  package static let wordCount = entryCount / entriesPerWord

  /// Bitmaps needed for `blocks` blocks.
  package static func count(for blocks: UInt64) -> UInt64 {
    let whole = blocks / UInt64(entryCount)
    return blocks % UInt64(entryCount) == 0 ? whole : whole + 1
  }

  private let bytes: RawSpan

  @_lifetime(copy bytes) package init(_ bytes: RawSpan) { self.bytes = bytes }

  package var block: UInt64 { bytes[Layout.block] }

  /// The 32 entries from block 32 × `index` on.
  package func word(_ index: Int) -> UInt64 { bytes[Bitmap.word(index)] }

  /// All words: going through a span costs one bounds check, not one per word.
  package var words: Span<UInt64> {
    @_lifetime(copy self) get {
      // Any bit pattern is a valid integer; blocks are aligned, and so are the entries.
      Span(_bytes: bytes.extracting(Layout.size..<Layout.size + 8 * Bitmap.wordCount))
    }
  }

  /// The count, 0 to 3, of entry `index` in a word.
  package static func count(_ index: Int, in word: UInt64) -> Int {
    let entry = word >> (2 * UInt64(index)) & 3
    return Int(entry >> 1 | (entry & 1) << 1)
  }

  /// The field of the 32 entries from block 32 × `index` on.
  package static func word(_ index: Int) -> Field<UInt64> { Field(at: Layout.size + 8 * index) }
}
