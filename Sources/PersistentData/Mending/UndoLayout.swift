/// An undo file: the contents of blocks before they were changed in place. It consists of whole
/// blocks of 4096 bytes: a header, then groups of a table and the blocks that it lists.
///
/// The last group is marked as the last. A file without it was never finished, and nothing has been
/// changed either: the file is on stable storage before the first block is overwritten.
package enum UndoLayout {
  static let magic = Array("dmmeta undo file".utf8)
  static let version: UInt32 = 2

  /// The first block.
  package enum Header {
    package static let magic = 0  // 16 bytes of text
    package static let version = Field<UInt32>(at: 16)
    package static let blockSize = Field<UInt32>(at: 20)  // bytes
    package static let deviceBlockCount = Field<UInt64>(at: 24)  // of the device changed
    package static let notice = 32  // what this is, in words, then zeroes
    package static let checksum = Field<UInt64>(at: 4088)  // of all bytes before it
  }

  /// The first block of a group; the old contents of its blocks follow in the same order.
  package enum Table {
    package static let count = Field<UInt32>(at: 0)  // blocks in this group
    package static let isLast = Field<UInt32>(at: 4)  // 1 in the last group, otherwise 0
    package static let entries = 8
    package static let capacity = 51
    package static let checksum = Field<UInt64>(at: 4088)  // of all bytes before it
  }

  /// An entry of a table.
  package enum Entry {
    package static let block = Field<UInt64>(at: 0)  // where the contents were
    package static let oldChecksum = Field<UInt64>(at: 8)  // of the contents kept here
    package static let newSectors = 16  // checksums of what they were overwritten with, by sector
    package static let size = 80
  }

  static let notice =
    "\n\nWhat was overwritten when metadata was mended in place. To put it back, as long as\n"
    + "nothing else has changed the metadata since, with the check of its kind:\n"
    + "  thin_check --undo THIS_FILE METADATA_DEVICE    (or cache_check, era_check)\n"

  /// Bytes that a disk always writes as a whole: after a power cut, each of a block's sectors holds
  /// either its old or its new contents.
  static let sectorSize = 512
  package static let sectorCount = MetadataBlock.size / sectorSize

  static func entryOffset(_ index: Int) -> Int { Table.entries + index * Entry.size }

  /// The checksums of all sectors of a block.
  static func sectors(_ bytes: RawSpan) -> [UInt64] {
    (0..<sectorCount).map { checksum(bytes, from: $0 * sectorSize, count: sectorSize) }
  }

  /// FNV-1a with 64 bits, over `count` bytes from `start` on.
  static func checksum(
    _ bytes: RawSpan, from start: Int = 0, count: Int = MetadataBlock.size
  ) -> UInt64 {
    var sum: UInt64 = 0xCBF2_9CE4_8422_2325
    for offset in start..<start + count {
      let byte: UInt8 = bytes[Field<UInt8>(at: offset)]
      sum = (sum ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    return sum
  }
}

/// One block in an undo file.
struct UndoEntry: Hashable, Sendable {
  var block: UInt64
  var oldChecksum: UInt64
  /// Checksums of what the block was overwritten with, one per sector.
  var newSectors: [UInt64]

  func encode(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes[UndoLayout.Entry.block.shifted(by: offset)] = block
    bytes[UndoLayout.Entry.oldChecksum.shifted(by: offset)] = oldChecksum
    for (index, sum) in newSectors.enumerated() {
      bytes[UndoEntry.sector(index).shifted(by: offset)] = sum
    }
  }
}

extension UndoEntry {
  /// Decodes the entry that starts `offset` bytes into `bytes`.
  init(_ bytes: RawSpan, at offset: Int) {
    block = bytes[UndoLayout.Entry.block.shifted(by: offset)]
    oldChecksum = bytes[UndoLayout.Entry.oldChecksum.shifted(by: offset)]
    newSectors = (0..<UndoLayout.sectorCount).map {
      bytes[UndoEntry.sector($0).shifted(by: offset)]
    }
  }

  private static func sector(_ index: Int) -> Field<UInt64> {
    Field(at: UndoLayout.Entry.newSectors + 8 * index)
  }
}
