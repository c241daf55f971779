/// A pack file: holds, packed, the blocks of a device that have a known checksum.
///
/// A header, then records up to the end of the file: a length in bytes (UInt64), then a zlib stream
/// of that length. Inflated, it is a series of blocks, each a number (UInt64), then instructions
/// that make the block's 4096 bytes (`PackInstruction`). Records, and the blocks in them, come in
/// any order; a block that is in none is zeroes.
///
/// Readers of version 1.x skip a record whose stream is empty, and anything after a stream. Our
/// extensions to the format go there: an own record is an empty stream, `ownMagic`, an `OwnRecord`
/// (UInt32) and its contents.
///
/// Source: thin-provisioning-tools 1.x, files that thin_metadata_pack wrote.
package enum PackLayout {
  package static let magic = Field<UInt64>(at: 0)
  package static let version = Field<UInt64>(at: 8)
  package static let blockSize = Field<UInt64>(at: 16)  // bytes
  package static let blockCount = Field<UInt64>(at: 24)  // of the device that was packed
  package static let size = 32

  static let magicValue: UInt64 = 0xA537_A0AA_6309_EF77
  static let versionValue: UInt64 = 3

  /// Bytes of a record's length, and of the number of a block.
  static let lengthSize = 8

  /// The most blocks of a packed device: eight times what kernels use, as a device can be larger.
  static let blockCountMaximum = 8 * MetadataBlock.maximumCount

  // MARK: Own records

  /// The kinds of own records, which other readers skip.
  enum OwnRecord: UInt32 {
    /// First of all: an `end` must follow. Without it, the file was cut off.
    case begin = 0
    /// Another zlib stream of blocks: those whose checksums are bad.
    case damaged = 1
    /// Last of all, followed by `End`.
    case end = 2
  }

  /// An empty zlib stream.
  static let emptyStream: [UInt8] = [0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]
  static let ownMagic: [UInt8] = Array("dmmeta\u{0}\u{1}".utf8)

  /// What the whole file holds.
  package enum End {
    package static let soundCount = Field<UInt64>(at: 0)  // blocks with a known checksum
    package static let damagedCount = Field<UInt64>(at: 8)  // other blocks
    package static let size = 16
  }
}
