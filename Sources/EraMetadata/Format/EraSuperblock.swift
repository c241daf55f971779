package import PersistentData

/// Block 0 of era metadata: where everything starts. A metadata snapshot keeps a copy of it in
/// another block.
///
/// Source: Linux, drivers/md/dm-era-target.c, `struct superblock_disk`.
package struct EraSuperblock: SuperblockFormat {
  package enum Layout {
    package static let checksum = Field<UInt32>(at: 0)  // CRC-32C of bytes 4..<4096
    package static let flags = Field<UInt32>(at: 4)  // kernels write 0, other tools 1
    package static let block = Field<UInt64>(at: 8)  // metadata block this copy lives in
    package static let uuidLow = Field<UInt64>(at: 16)  // unused by kernels
    package static let uuidHigh = Field<UInt64>(at: 24)
    package static let magic = Field<UInt64>(at: 32)
    package static let version = Field<UInt32>(at: 40)
    package static let metadataSpaceMap = 44  // a SpaceMapRoot in 128 bytes
    package static let dataBlockSectors = Field<UInt32>(at: 172)
    package static let metadataBlockSectors = Field<UInt32>(at: 176)
    package static let blockCount = Field<UInt32>(at: 180)  // of the origin; 0 before first use
    package static let currentEra = Field<UInt32>(at: 184)
    package static let currentWriteset = 188  // a Writeset
    package static let writesetRoot = Field<UInt64>(at: 200)  // tree: era to its archived writeset
    package static let eraArrayRoot = Field<UInt64>(at: 208)  // array: block to its last known era
    package static let heldRoot = Field<UInt64>(at: 216)  // the metadata snapshot; 0: none
    package static let size = 224
  }

  package static let kind = BlockKind.eraSuperblock
  package static let magic: UInt64 = 2_126_579_579
  package static let versions: ClosedRange<UInt32> = 1...1
  package static let knownFlags: UInt32 = 1
  package static let needsCheckFlag: UInt32? = nil
  /// 4 KiB, in sectors: every block's size is a multiple of it.
  package static let dataBlockSectorsUnit: UInt32 = 8
  package static let blockCountMaximum: UInt32 = 1 << 31 - 1

  package var flags: UInt32
  package var block: UInt64
  package var uuidLow: UInt64
  package var uuidHigh: UInt64
  package var magic: UInt64
  package var version: UInt32
  package var metadataSpaceMap: SpaceMapRoot
  package var dataBlockSectors: UInt32
  package var metadataBlockSectors: UInt32
  package var blockCount: UInt32
  package var currentEra: UInt32
  package var currentWriteset: Writeset
  package var writesetRoot: UInt64
  package var eraArrayRoot: UInt64
  package var heldRoot: UInt64

  package init(_ bytes: RawSpan) {
    flags = bytes[Layout.flags]
    block = bytes[Layout.block]
    uuidLow = bytes[Layout.uuidLow]
    uuidHigh = bytes[Layout.uuidHigh]
    magic = bytes[Layout.magic]
    version = bytes[Layout.version]
    metadataSpaceMap = SpaceMapRoot(bytes, at: Layout.metadataSpaceMap)
    dataBlockSectors = bytes[Layout.dataBlockSectors]
    metadataBlockSectors = bytes[Layout.metadataBlockSectors]
    blockCount = bytes[Layout.blockCount]
    currentEra = bytes[Layout.currentEra]
    currentWriteset = Writeset(bytes, at: Layout.currentWriteset)
    writesetRoot = bytes[Layout.writesetRoot]
    eraArrayRoot = bytes[Layout.eraArrayRoot]
    heldRoot = bytes[Layout.heldRoot]
  }

  package func encode(into bytes: inout MutableRawSpan) {
    bytes[Layout.flags] = flags
    bytes[Layout.block] = block
    bytes[Layout.uuidLow] = uuidLow
    bytes[Layout.uuidHigh] = uuidHigh
    bytes[Layout.magic] = magic
    bytes[Layout.version] = version
    metadataSpaceMap.encode(into: &bytes, at: Layout.metadataSpaceMap)
    bytes[Layout.dataBlockSectors] = dataBlockSectors
    bytes[Layout.metadataBlockSectors] = metadataBlockSectors
    bytes[Layout.blockCount] = blockCount
    bytes[Layout.currentEra] = currentEra
    currentWriteset.encode(into: &bytes, at: Layout.currentWriteset)
    bytes[Layout.writesetRoot] = writesetRoot
    bytes[Layout.eraArrayRoot] = eraArrayRoot
    bytes[Layout.heldRoot] = heldRoot
  }

  package func checkOwnFields(at site: Site, into findings: inout Findings) {
    if dataBlockSectors == 0 || dataBlockSectors % EraSuperblock.dataBlockSectorsUnit != 0 {
      findings.report(
        .dataBlockSizeInvalid, at: site, found: "\(dataBlockSectors) sectors",
        expected: .multiple(of: EraSuperblock.dataBlockSectorsUnit))
    }
    if blockCount > EraSuperblock.blockCountMaximum {
      findings.report(
        .blockCountInvalid, at: site, found: "\(blockCount) blocks",
        expected: .atMost(EraSuperblock.blockCountMaximum))
    }
  }
}
