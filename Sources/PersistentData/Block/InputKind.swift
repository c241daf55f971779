/// What a file or device that should hold metadata looks like from its first bytes.
///
/// People under stress name the wrong device; a tool that says "this is a LUKS volume" saves them
/// an hour.
package enum InputKind: Hashable, Sendable {
  case metadata(BlockKind)
  /// Our own notice that a restore or repair was interrupted.
  case unfinished
  /// What mending in place has overwritten.
  case undo
  case xml
  case pack
  case gzip
  case xz
  case zstd
  case qcow2
  case luks
  case lvm
  case ext
  case xfs
  case btrfs
  case swap
  case partitionTable
  case zeroes
  case unknown

  /// Bytes from the start that are looked at: the farthest magic stands at 64 KiB.
  private static let blocks = 17

  /// Bytes that stand at an offset in some kind of file or device.
  private struct Signature {
    let kind: InputKind
    let offset: Int
    let bytes: [UInt8]

    init(_ kind: InputKind, _ offset: Int, _ bytes: [UInt8]) {
      self.kind = kind
      self.offset = offset
      self.bytes = bytes
    }

    func stands(in buffer: BlockBuffer, _ blockCount: Int) -> Bool {
      guard offset + bytes.count <= blockCount * MetadataBlock.size else { return false }
      return bytes.indices.allSatisfy { index in
        let place = offset + index
        let block = buffer[place / MetadataBlock.size]
        return block[Field<UInt8>(at: place % MetadataBlock.size)] == bytes[index]
      }
    }
  }

  private static let signatures: [Signature] = [
    Signature(.undo, 0, UndoLayout.magic),
    Signature(.xml, 0, Array("<superblock".utf8)),
    Signature(.xml, 0, Array("<?xml".utf8)),
    Signature(.xml, 0, Array("<!DOCTYPE".utf8)),
    Signature(.pack, 0, [0x77, 0xEF, 0x09, 0x63, 0xAA, 0xA0, 0x37, 0xA5]),
    Signature(.gzip, 0, [0x1F, 0x8B]),
    Signature(.xz, 0, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]),
    Signature(.zstd, 0, [0x28, 0xB5, 0x2F, 0xFD]),
    Signature(.qcow2, 0, Array("QFI".utf8) + [0xFB]),
    Signature(.luks, 0, Array("LUKS".utf8) + [0xBA, 0xBE]),
    Signature(.xfs, 0, Array("XFSB".utf8)),
    Signature(.lvm, 0, Array("LABELONE".utf8)),
    Signature(.lvm, 512, Array("LABELONE".utf8)),
    Signature(.ext, 1080, [0x53, 0xEF]),
    Signature(.swap, 4086, Array("SWAPSPACE2".utf8)),
    Signature(.btrfs, 65600, Array("_BHRfS_M".utf8)),
    Signature(.partitionTable, 512, Array("EFI PART".utf8)),
    Signature(.partitionTable, 510, [0x55, 0xAA]),
  ]

  /// Looks at the start of a file that was opened as metadata.
  package init(of file: BlockFile) throws(IOError) {
    let count = Int(min(file.blockCount, UInt64(InputKind.blocks)))
    let buffer = BlockBuffer(blocks: count)
    try buffer.read(file, from: 0, count: count)
    self = InputKind(buffer, count)
  }

  private init(_ buffer: BlockBuffer, _ count: Int) {
    let first = buffer[0]
    if let kind = BlockKind(of: first) {
      self = .metadata(kind)
    } else if UnfinishedNotice.stands(in: first) {
      self = .unfinished
    } else if let match = InputKind.signatures.first(where: { $0.stands(in: buffer, count) }) {
      self = match.kind
    } else if (0..<first.byteCount).allSatisfy({ first[Field<UInt8>(at: $0)] == 0 }) {
      self = .zeroes
    } else {
      self = .unknown
    }
  }

  /// What it is, as a sentence goes on after "this is"; `nil` where nothing can be said.
  package var name: String? {
    switch self {
    case .metadata(.thinSuperblock): "the metadata of a thin pool"
    case .metadata(.cacheSuperblock): "the metadata of a cache"
    case .metadata(.eraSuperblock): "the metadata of an era device"
    case .metadata(let kind): kind.nameWithArticle
    case .unfinished: "the output of a restore or repair that was interrupted"
    case .undo: "an undo file of thin_check"
    case .xml: "XML"
    case .pack: "metadata packed by thin_metadata_pack"
    case .gzip: "a gzip file"
    case .xz: "an xz file"
    case .zstd: "a zstd file"
    case .qcow2: "a qcow2 disk image"
    case .luks: "a LUKS volume"
    case .lvm: "an LVM physical volume"
    case .ext: "an ext2, ext3 or ext4 file system"
    case .xfs: "an XFS file system"
    case .btrfs: "a Btrfs file system"
    case .swap: "swap space"
    case .partitionTable: "a disk with a partition table"
    case .zeroes: "nothing but zeroes"
    case .unknown: nil
    }
  }
}
