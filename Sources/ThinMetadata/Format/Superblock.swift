package import PersistentData

/// Block 0 of thin-pool metadata: where everything starts. A metadata snapshot keeps a copy of it
/// in another block.
///
/// Decoded as it stands; `check` says what is wrong with it.
///
/// Source: Linux, drivers/md/dm-thin-metadata.c, `struct thin_disk_superblock`.
package struct Superblock: SuperblockFormat {
  package enum Layout {
    package static let checksum = Field<UInt32>(at: 0)  // CRC-32C of bytes 4..<4096
    package static let flags = Field<UInt32>(at: 4)  // bit 0: needs_check
    package static let block = Field<UInt64>(at: 8)  // metadata block this copy lives in
    package static let uuidLow = Field<UInt64>(at: 16)  // unused by kernels
    package static let uuidHigh = Field<UInt64>(at: 24)
    package static let magic = Field<UInt64>(at: 32)
    package static let version = Field<UInt32>(at: 40)  // 1 or 2
    package static let time = Field<UInt32>(at: 44)  // counts snapshots
    package static let transactionID = Field<UInt64>(at: 48)  // user space's
    package static let heldRoot = Field<UInt64>(at: 56)  // the metadata snapshot; 0: none
    package static let dataSpaceMap = 64  // a SpaceMapRoot in 128 bytes
    package static let metadataSpaceMap = 192  // a SpaceMapRoot in 128 bytes
    package static let mappingRoot = Field<UInt64>(at: 320)  // tree: device to its mapping tree
    package static let detailsRoot = Field<UInt64>(at: 328)  // tree: device to its details
    package static let dataBlockSectors = Field<UInt32>(at: 336)
    package static let metadataBlockSectors = Field<UInt32>(at: 340)
    package static let metadataBlockCount = Field<UInt64>(at: 344)  // at format; not kept up
    package static let compatibleFlags = Field<UInt32>(at: 352)
    package static let readOnlyCompatibleFlags = Field<UInt32>(at: 356)
    package static let incompatibleFlags = Field<UInt32>(at: 360)
    package static let size = 364
  }

  package static let kind = BlockKind.thinSuperblock
  package static let magic: UInt64 = 27_022_010
  package static let versions: ClosedRange<UInt32> = 1...2
  package static let knownFlags: UInt32 = 1
  package static let needsCheckFlag: UInt32? = 1
  /// 64 KiB and 1 GiB, in sectors: the limits of a data block, which is a multiple of the first.
  package static let dataBlockSectorsUnit: UInt32 = 128
  package static let dataBlockSectorsMaximum: UInt32 = 2_097_152

  package var flags: UInt32 = 0
  package var block: UInt64 = 0
  package var uuidLow: UInt64 = 0
  package var uuidHigh: UInt64 = 0
  package var magic: UInt64 = Superblock.magic
  package var version: UInt32 = 2
  package var time: UInt32
  package var transactionID: UInt64
  package var heldRoot: UInt64 = 0
  package var dataSpaceMap: SpaceMapRoot
  package var metadataSpaceMap: SpaceMapRoot
  package var mappingRoot: UInt64
  package var detailsRoot: UInt64
  package var dataBlockSectors: UInt32
  package var metadataBlockSectors = MetadataBlock.sectors
  package var metadataBlockCount: UInt64
  package var compatibleFlags: UInt32 = 0
  package var readOnlyCompatibleFlags: UInt32 = 0
  package var incompatibleFlags: UInt32 = 0

  package init(
    time: UInt32, transactionID: UInt64, dataSpaceMap: SpaceMapRoot,
    metadataSpaceMap: SpaceMapRoot, mappingRoot: UInt64, detailsRoot: UInt64,
    dataBlockSectors: UInt32, metadataBlockCount: UInt64
  ) {
    self.time = time
    self.transactionID = transactionID
    self.dataSpaceMap = dataSpaceMap
    self.metadataSpaceMap = metadataSpaceMap
    self.mappingRoot = mappingRoot
    self.detailsRoot = detailsRoot
    self.dataBlockSectors = dataBlockSectors
    self.metadataBlockCount = metadataBlockCount
  }

  package init(_ bytes: RawSpan) {
    flags = bytes[Layout.flags]
    block = bytes[Layout.block]
    uuidLow = bytes[Layout.uuidLow]
    uuidHigh = bytes[Layout.uuidHigh]
    magic = bytes[Layout.magic]
    version = bytes[Layout.version]
    time = bytes[Layout.time]
    transactionID = bytes[Layout.transactionID]
    heldRoot = bytes[Layout.heldRoot]
    dataSpaceMap = SpaceMapRoot(bytes, at: Layout.dataSpaceMap)
    metadataSpaceMap = SpaceMapRoot(bytes, at: Layout.metadataSpaceMap)
    mappingRoot = bytes[Layout.mappingRoot]
    detailsRoot = bytes[Layout.detailsRoot]
    dataBlockSectors = bytes[Layout.dataBlockSectors]
    metadataBlockSectors = bytes[Layout.metadataBlockSectors]
    metadataBlockCount = bytes[Layout.metadataBlockCount]
    compatibleFlags = bytes[Layout.compatibleFlags]
    readOnlyCompatibleFlags = bytes[Layout.readOnlyCompatibleFlags]
    incompatibleFlags = bytes[Layout.incompatibleFlags]
  }

  package func encode(into bytes: inout MutableRawSpan) {
    bytes[Layout.flags] = flags
    bytes[Layout.block] = block
    bytes[Layout.uuidLow] = uuidLow
    bytes[Layout.uuidHigh] = uuidHigh
    bytes[Layout.magic] = magic
    bytes[Layout.version] = version
    bytes[Layout.time] = time
    bytes[Layout.transactionID] = transactionID
    bytes[Layout.heldRoot] = heldRoot
    dataSpaceMap.encode(into: &bytes, at: Layout.dataSpaceMap)
    metadataSpaceMap.encode(into: &bytes, at: Layout.metadataSpaceMap)
    bytes[Layout.mappingRoot] = mappingRoot
    bytes[Layout.detailsRoot] = detailsRoot
    bytes[Layout.dataBlockSectors] = dataBlockSectors
    bytes[Layout.metadataBlockSectors] = metadataBlockSectors
    bytes[Layout.metadataBlockCount] = metadataBlockCount
    bytes[Layout.compatibleFlags] = compatibleFlags
    bytes[Layout.readOnlyCompatibleFlags] = readOnlyCompatibleFlags
    bytes[Layout.incompatibleFlags] = incompatibleFlags
  }
}
