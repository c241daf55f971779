/// Bytes at an offset that identify some kind of file or device.
struct Signature {
  let kind: InputKind
  private let offset: Int
  private let bytes: [UInt8]

  /// Blocks from the start that have to be read: the farthest signature is at 64 KiB.
  static let blocks = 17

  private init(_ kind: InputKind, _ offset: Int, _ bytes: [UInt8]) {
    self.kind = kind
    self.offset = offset
    self.bytes = bytes
  }

  private init(_ kind: ForeignKind, _ offset: Int, _ bytes: [UInt8]) {
    self.init(.foreign(kind), offset, bytes)
  }

  private init(_ kind: ForeignKind, _ offset: Int, _ text: StaticString) {
    self.init(.foreign(kind), offset, Array("\(text)".utf8))
  }

  /// The kernel's magic numbers, which are little-endian on disk.
  private init(_ kind: ForeignKind, _ offset: Int, _ numbers: UInt32...) {
    self.init(
      .foreign(kind), offset,
      numbers.flatMap { number in
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
      })
  }

  /// The first match: kinds that take a whole device come before kinds that may be inside it.
  static func match(in buffer: BlockBuffer, _ blockCount: Int) -> InputKind? {
    all.first { $0.stands(in: buffer, blockCount) && $0.isPlausible(in: buffer) }?.kind
  }

  private func stands(in buffer: BlockBuffer, _ blockCount: Int) -> Bool {
    guard offset + bytes.count <= blockCount * MetadataBlock.size else { return false }
    return bytes.indices.allSatisfy { index in
      let place = offset + index
      let block = buffer[place / MetadataBlock.size]
      return block[Field<UInt8>(at: place % MetadataBlock.size)] == bytes[index]
    }
  }

  /// Two bytes may match by chance, so another field has to be plausible, too.
  private func isPlausible(in buffer: BlockBuffer) -> Bool {
    let first = buffer[0]
    switch kind {
    case .foreign(.ext): return first[Field<UInt32>(at: 1024 + 24)] <= 6  // log2(block size) - 10
    case .foreign(.partitionTable):
      // The boot flag of each partition.
      return (0..<4).allSatisfy { [0, 0x80].contains(first[Field<UInt8>(at: 446 + 16 * $0)]) }
    default: return true
    }
  }

  /// Signatures of kinds that leave the start of a device to its contents.
  static func atEnd(of file: BlockFile) -> ForeignKind? {
    let count = file.blockCount
    // md's versions 0.90, in either byte order, and 1.0.
    let places: [(ForeignKind, UInt64?, Int, [[UInt8]])] = [
      (
        .raid, count >= 16 ? count / 16 * 16 - 16 : nil, 0,
        [[0xFC, 0x4E, 0x2B, 0xA9], [0xA9, 0x2B, 0x4E, 0xFC]]
      ),
      (.raid, count >= 2 ? count - 2 : nil, 0, [[0xFC, 0x4E, 0x2B, 0xA9, 1, 0, 0, 0]]),
      (.vhd, count >= 1 ? count - 1 : nil, 3584, [Array("conectix".utf8)]),
    ]
    for (kind, block, offset, values) in places {
      guard let block, let number = UInt32(exactly: block) else { continue }
      let isThere = try? file.withBlock(MetadataBlock(number)) { bytes in
        values.contains { value in
          value.indices.allSatisfy { bytes[Field<UInt8>(at: offset + $0)] == value[$0] }
        }
      }
      if isThere == true { return kind }
    }
    return file.tailHolds(Array("conectix".utf8), every: 512) ? .vhd : nil
  }
}

extension Signature {
  /// Sources: the formats' own descriptions; Linux, include/uapi/linux/raid/md_p.h,
  /// drivers/md/ (dm-writecache.c, dm-snap-persistent.c, dm-clone-metadata.c, dm-integrity.c,
  /// dm-zoned-metadata.c, dm-pcache/cache_dev.h, dm-raid.c, dm-log.c, dm-verity-target.c,
  /// dm-vdo/encodings.c, bcache/super.c).
  private static let all: [Signature] =
    [
      Signature(.undo, 0, UndoLayout.magic),
      Signature(.pack, 0, [0x77, 0xEF, 0x09, 0x63, 0xAA, 0xA0, 0x37, 0xA5]),
    ] + files + diskImages + devices + fileSystems

  private static let files: [Signature] =
    [
      Signature(.gzip, 0, [0x1F, 0x8B, 8]),
      Signature(.xz, 0, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]),
      Signature(.zstd, 0, [0x28, 0xB5, 0x2F, 0xFD]),
      Signature(.lz4, 0, [0x04, 0x22, 0x4D, 0x18]),
      Signature(.lzip, 0, "LZIP"),
      Signature(.lzop, 0, [0x89, 0x4C, 0x5A, 0x4F]),
      Signature(.zip, 0, "PK\u{3}\u{4}"), Signature(.zip, 0, "PK\u{5}\u{6}"),
      Signature(.zip, 0, "PK\u{7}\u{8}"),
      Signature(.sevenZip, 0, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]),
      Signature(.cpio, 0, "070701"), Signature(.cpio, 0, "070702"), Signature(.cpio, 0, "070707"),
      Signature(.cpio, 0, [0xC7, 0x71]),
      Signature(.tar, 257, "ustar"),
      Signature(.elf, 0, [0x7F, 0x45, 0x4C, 0x46]),
    ] + "123456789".utf8.map { Signature(.bzip2, 0, Array("BZh".utf8) + [$0]) }

  private static let diskImages: [Signature] = [
    Signature(.qcow2, 0, Array("QFI".utf8) + [0xFB]),
    Signature(.qed, 0, Array("QED".utf8) + [0]),
    Signature(.vmdk, 0, "KDMV"), Signature(.vmdk, 0, "COWD"),
    Signature(.vmdk, 0, "# Disk DescriptorFile"),
    Signature(.vhd, 0, "conectix"), Signature(.vhdx, 0, "vhdxfile"),
    Signature(.vdi, 64, 0xBEDA_107F),
  ]

  private static let devices: [Signature] = [
    Signature(.luks, 0, Array("LUKS".utf8) + [0xBA, 0xBE]),
    // A label may be in any of the first four sectors.
    Signature(.lvm, 0, "LABELONE"), Signature(.lvm, 512, "LABELONE"),
    Signature(.lvm, 1024, "LABELONE"), Signature(.lvm, 1536, "LABELONE"),
    Signature(.raid, 0, 0xA92B_4EFC, 1), Signature(.raid, 4096, 0xA92B_4EFC, 1),
    Signature(.vdo, 0, "dmvdo001"),
    Signature(
      .bcache, 4096 + 24,
      [
        0xC6, 0x85, 0x73, 0xF6, 0x4E, 0x1A, 0x45, 0xCA, 0x82, 0x65, 0xF5, 0x7F, 0x48, 0xBA, 0x6D,
        0x81,
      ]),
    Signature(.bitLocker, 3, "-FVE-FS-"),
    Signature(.stratis, 516, "!Stra0tis"), Signature(.stratis, 4612, "!Stra0tis"),
    Signature(.writecache, 0, 0x2348_9321),
    Signature(.snapshot, 0, 0x7041_6E53),
    Signature(.clone, 32, 0x8AF2_7F64, 0),
    Signature(.integrity, 0, "integrt\u{0}"),
    Signature(.verity, 0, "verity\u{0}\u{0}"),
    Signature(.zoned, 0, 0x445A_4244),
    Signature(.pcache, 4096 + 8, 0x96C5_96EF, 0x65B0_5EFA),
    Signature(.raidMetadata, 0, 0x6452_6D44),
    Signature(.mirrorLog, 0, 0x4D69_5272), Signature(.mirrorLog, 0, "MiRr"),
  ]

  private static let fileSystems: [Signature] = [
    Signature(
      .bcachefs, 4096 + 24,
      [
        0xC6, 0x85, 0x73, 0xF6, 0x66, 0xCE, 0x90, 0xA9, 0xD9, 0x6A, 0x60, 0xCF, 0x80, 0x3D, 0xF7,
        0xEF,
      ]),
    Signature(.xfs, 0, "XFSB"),
    Signature(.ext, 1080, [0x53, 0xEF]),
    Signature(.btrfs, 65600, "_BHRfS_M"),
    Signature(.f2fs, 1024, 0xF2F5_2010),
    Signature(.jfs, 32768, "JFS1"),
    Signature(.reiserfs, 65536 + 52, "ReIsEr"),
    Signature(.squashfs, 0, "hsqs"),
    Signature(.iso9660, 32769, "CD001"),
    Signature(.ntfs, 3, "NTFS    "), Signature(.exfat, 3, "EXFAT   "),
    Signature(.fat, 54, "FAT12"), Signature(.fat, 54, "FAT16"), Signature(.fat, 82, "FAT32"),
    Signature(.swap, 4086, "SWAPSPACE2"), Signature(.swap, 4086, "SWAP-SPACE"),
    Signature(.partitionTable, 512, "EFI PART"), Signature(.partitionTable, 4096, "EFI PART"),
    Signature(.partitionTable, 510, [0x55, 0xAA]),
  ]
}
