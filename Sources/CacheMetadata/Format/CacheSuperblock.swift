package import PersistentData

/// Block 0 of cache metadata: where everything starts.
///
/// Source: Linux, drivers/md/dm-cache-metadata.c, `struct cache_disk_superblock`; packed.
package struct CacheSuperblock: SuperblockFormat {
  package enum Layout {
    package static let checksum = Field<UInt32>(at: 0)  // CRC-32C of bytes 4..<4096
    package static let flags = Field<UInt32>(at: 4)  // bit 0: clean shutdown, bit 1: needs_check
    package static let block = Field<UInt64>(at: 8)  // 0, where it lives
    package static let uuidLow = Field<UInt64>(at: 16)  // unused by kernels
    package static let uuidHigh = Field<UInt64>(at: 24)
    package static let magic = Field<UInt64>(at: 32)
    package static let version = Field<UInt32>(at: 40)  // 1, or 2 with a dirty bitset
    package static let policyName = 44  // 16 bytes of text, zeroes behind it
    package static let policyHintSize = Field<UInt32>(at: 60)  // bytes: 4, or 0 for none
    package static let metadataSpaceMap = 64  // a SpaceMapRoot in 128 bytes
    package static let mappingRoot = Field<UInt64>(at: 192)  // array: cache block to origin block
    package static let hintRoot = Field<UInt64>(at: 200)  // array: cache block to hint; 0: none
    package static let discardRoot = Field<UInt64>(at: 208)  // bitset of discard blocks
    package static let discardBlockSectors = Field<UInt64>(at: 216)
    package static let discardBlockCount = Field<UInt64>(at: 224)
    package static let dataBlockSectors = Field<UInt32>(at: 232)
    package static let metadataBlockSectors = Field<UInt32>(at: 236)
    package static let cacheBlockCount = Field<UInt32>(at: 240)  // 0 before first use
    package static let compatibleFlags = Field<UInt32>(at: 244)
    package static let readOnlyCompatibleFlags = Field<UInt32>(at: 248)
    package static let incompatibleFlags = Field<UInt32>(at: 252)
    package static let readHits = Field<UInt32>(at: 256)
    package static let readMisses = Field<UInt32>(at: 260)
    package static let writeHits = Field<UInt32>(at: 264)
    package static let writeMisses = Field<UInt32>(at: 268)
    package static let policyVersion = 272  // three numbers of 4 bytes
    package static let dirtyRoot = Field<UInt64>(at: 284)  // bitset of cache blocks; version 2
    package static let size = 292
    package static let policyNameSize = 16
  }

  package static let kind = BlockKind.cacheSuperblock
  package static let magic: UInt64 = 1_623_043
  package static let versions: ClosedRange<UInt32> = 1...2
  package static let cleanShutdownFlag: UInt32 = 1
  package static let knownFlags: UInt32 = 3
  package static let needsCheckFlag: UInt32? = 2
  /// 32 KiB and 1 GiB, in sectors: the limits of a block, which is a multiple of the first.
  package static let dataBlockSectorsUnit: UInt32 = 64
  package static let dataBlockSectorsMaximum: UInt32 = 2_097_152

  package var flags: UInt32
  package var block: UInt64
  package var uuidLow: UInt64
  package var uuidHigh: UInt64
  package var magic: UInt64
  package var version: UInt32
  /// As it stands on disk, 16 bytes.
  package var policyName: [UInt8]
  package var policyHintSize: UInt32
  package var metadataSpaceMap: SpaceMapRoot
  package var mappingRoot: UInt64
  package var hintRoot: UInt64
  package var discardRoot: UInt64
  package var discardBlockSectors: UInt64
  package var discardBlockCount: UInt64
  package var dataBlockSectors: UInt32
  package var metadataBlockSectors: UInt32
  package var cacheBlockCount: UInt32
  package var compatibleFlags: UInt32
  package var readOnlyCompatibleFlags: UInt32
  package var incompatibleFlags: UInt32
  package var readHits: UInt32
  package var readMisses: UInt32
  package var writeHits: UInt32
  package var writeMisses: UInt32
  package var policyVersion: [UInt32]
  package var dirtyRoot: UInt64

  /// Whether the last shutdown was clean, so that dirty bits, hints and discards can be trusted.
  package var isCleanShutdown: Bool { flags & CacheSuperblock.cleanShutdownFlag != 0 }

  /// The policy's name, without the zeroes behind it.
  package var policy: String { String(decoding: policyName.prefix { $0 != 0 }, as: UTF8.self) }

  package init(_ bytes: RawSpan) {
    flags = bytes[Layout.flags]
    block = bytes[Layout.block]
    uuidLow = bytes[Layout.uuidLow]
    uuidHigh = bytes[Layout.uuidHigh]
    magic = bytes[Layout.magic]
    version = bytes[Layout.version]
    policyName = (0..<Layout.policyNameSize).map {
      bytes[Field<UInt8>(at: Layout.policyName + $0)]
    }
    policyHintSize = bytes[Layout.policyHintSize]
    metadataSpaceMap = SpaceMapRoot(bytes, at: Layout.metadataSpaceMap)
    mappingRoot = bytes[Layout.mappingRoot]
    hintRoot = bytes[Layout.hintRoot]
    discardRoot = bytes[Layout.discardRoot]
    discardBlockSectors = bytes[Layout.discardBlockSectors]
    discardBlockCount = bytes[Layout.discardBlockCount]
    dataBlockSectors = bytes[Layout.dataBlockSectors]
    metadataBlockSectors = bytes[Layout.metadataBlockSectors]
    cacheBlockCount = bytes[Layout.cacheBlockCount]
    compatibleFlags = bytes[Layout.compatibleFlags]
    readOnlyCompatibleFlags = bytes[Layout.readOnlyCompatibleFlags]
    incompatibleFlags = bytes[Layout.incompatibleFlags]
    readHits = bytes[Layout.readHits]
    readMisses = bytes[Layout.readMisses]
    writeHits = bytes[Layout.writeHits]
    writeMisses = bytes[Layout.writeMisses]
    policyVersion = (0..<3).map { bytes[Field<UInt32>(at: Layout.policyVersion + 4 * $0)] }
    dirtyRoot = bytes[Layout.dirtyRoot]
  }

  package func encode(into bytes: inout MutableRawSpan) {
    bytes[Layout.flags] = flags
    bytes[Layout.block] = block
    bytes[Layout.uuidLow] = uuidLow
    bytes[Layout.uuidHigh] = uuidHigh
    bytes[Layout.magic] = magic
    bytes[Layout.version] = version
    for (index, byte) in policyName.prefix(Layout.policyNameSize).enumerated() {
      bytes[Field<UInt8>(at: Layout.policyName + index)] = byte
    }
    bytes[Layout.policyHintSize] = policyHintSize
    metadataSpaceMap.encode(into: &bytes, at: Layout.metadataSpaceMap)
    bytes[Layout.mappingRoot] = mappingRoot
    bytes[Layout.hintRoot] = hintRoot
    bytes[Layout.discardRoot] = discardRoot
    bytes[Layout.discardBlockSectors] = discardBlockSectors
    bytes[Layout.discardBlockCount] = discardBlockCount
    bytes[Layout.dataBlockSectors] = dataBlockSectors
    bytes[Layout.metadataBlockSectors] = metadataBlockSectors
    bytes[Layout.cacheBlockCount] = cacheBlockCount
    bytes[Layout.compatibleFlags] = compatibleFlags
    bytes[Layout.readOnlyCompatibleFlags] = readOnlyCompatibleFlags
    bytes[Layout.incompatibleFlags] = incompatibleFlags
    bytes[Layout.readHits] = readHits
    bytes[Layout.readMisses] = readMisses
    bytes[Layout.writeHits] = writeHits
    bytes[Layout.writeMisses] = writeMisses
    for (index, number) in policyVersion.prefix(3).enumerated() {
      bytes[Field<UInt32>(at: Layout.policyVersion + 4 * index)] = number
    }
    bytes[Layout.dirtyRoot] = dirtyRoot
  }
}
