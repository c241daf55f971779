internal import CSystem

/// What a metadata block holds, told by its checksum: blocks carry no type tag, but each kind of
/// block salts its checksum differently.
///
/// Source: Linux, drivers/md/, the `*_CSUM_XOR` constants of dm-thin-metadata.c,
/// dm-cache-metadata.c, dm-era-target.c and persistent-data/.
package enum BlockKind: UInt32, CaseIterable, Sendable {
  case thinSuperblock = 160_774
  case cacheSuperblock = 9_031_977
  case eraSuperblock = 146_538_381
  case btreeNode = 121_107
  case bitmap = 240_779
  case metadataIndex = 160_478
  case array = 595_846_735

  /// CRC-32C of bytes 4..<4096 without the final inversion, XORed with the kind's salt.
  package static let checksum = Field<UInt32>(at: 0)

  /// The kind that the block's checksum fits; `nil` when it fits none, as in a damaged block.
  package init?(of block: RawSpan) {
    self.init(rawValue: BlockKind.sum(of: block) ^ block[BlockKind.checksum])
  }

  /// The name with its article: "an era superblock".
  package var nameWithArticle: String {
    switch self {
    case .eraSuperblock, .array: "an \(name)"
    default: "a \(name)"
    }
  }

  /// The name people see in findings.
  package var name: String {
    switch self {
    case .thinSuperblock: "thin superblock"
    case .cacheSuperblock: "cache superblock"
    case .eraSuperblock: "era superblock"
    case .btreeNode: "B-tree node"
    case .bitmap: "space map bitmap"
    case .metadataIndex: "space map index"
    case .array: "array block"
    }
  }

  /// Puts the checksum of this kind into the block; the last thing done before it is written.
  package func seal(_ block: inout MutableRawSpan) {
    let sum = BlockKind.sum(of: block.bytes)
    block[BlockKind.checksum] = sum ^ rawValue
  }

  static func sum(of block: RawSpan) -> UInt32 {
    unsafe block.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, bytes.count > 4 else { return 0 }
      return unsafe dmm_crc32c(UInt32.max, base + 4, bytes.count - 4)
    }
  }
}
