package import PersistentData

/// Writes era metadata from its events, in one pass: bitsets as they come, then the era array, the
/// space map, and the superblock last.
///
/// What comes out is as after a clean removal: every writeset is archived, and the kernel begins a
/// new era when it activates the device.
package struct EraRestorer: EraEvents {
  package typealias Failure = WriteError

  private let writer: BlockWriter
  private var header: EraHeader?
  private var writesets: TreeWriter<Writeset>
  private var lastEra: UInt64?
  private var open: (era: UInt64, bitCount: UInt32, bits: BitsetWriter, next: UInt64)?
  private var eras: ArrayWriter<UInt32>
  private var eraCount: UInt64 = 0
  private var hasEraArray = false

  /// Whatever `file` held is gone from here on.
  package init(_ file: BlockFile) throws(WriteError) {
    do throws(IOError) { writer = try BlockWriter(file) } catch { throw .output(error) }
    writesets = TreeWriter(writer)
    eras = ArrayWriter(writer)
  }

  /// Only counts, as for a device of `blockCount` blocks.
  package init(counting blockCount: UInt64) {
    writer = BlockWriter(counting: blockCount)
    writesets = TreeWriter(writer)
    eras = ArrayWriter(writer)
  }

  /// Blocks that what was written so far takes.
  package var neededBlocks: UInt64 { writer.neededCount }

  package mutating func begin(_ header: EraHeader) throws(WriteError) {
    guard self.header == nil else { throw .rejected("a second superblock") }
    let unit = EraSuperblock.dataBlockSectorsUnit
    guard header.dataBlockSectors > 0, header.dataBlockSectors % unit == 0 else {
      throw .rejected("block_size \(header.dataBlockSectors) is not a multiple of \(unit)")
    }
    guard header.blockCount <= EraSuperblock.blockCountMaximum else {
      throw .rejected(
        "nr_blocks \(header.blockCount) is larger than \(EraSuperblock.blockCountMaximum)")
    }
    self.header = header
  }

  package mutating func beginWriteset(era: UInt64, bitCount: UInt32) throws(WriteError) {
    guard let header else { throw .rejected("a writeset before the superblock") }
    guard open == nil, !hasEraArray else { throw .rejected("writeset \(era) is out of place") }
    if let lastEra, era <= lastEra {
      throw .rejected("writeset \(era) must not follow writeset \(lastEra): eras ascend")
    }
    guard era <= header.currentEra else {
      throw .rejected("writeset \(era) is later than the current era, \(header.currentEra)")
    }
    lastEra = era
    open = (era, bitCount, BitsetWriter(writer, bitCount: UInt64(bitCount)), 0)
  }

  package mutating func marked(_ blocks: Range<UInt64>) throws(WriteError) {
    guard let set = open else { throw .rejected("a block outside of a writeset") }
    guard blocks.lowerBound >= set.next, blocks.upperBound <= set.bitCount else {
      throw .rejected(
        "block \(blocks.lowerBound) of writeset \(set.era): blocks ascend and are below nr_bits")
    }
    do throws(IOError) { try open?.bits.set(blocks) } catch { throw .output(error) }
    open?.next = blocks.upperBound
  }

  package mutating func endWriteset() throws(WriteError) {
    guard var set = open else { throw .rejected("the end of a writeset without its start") }
    open = nil
    do throws(IOError) {
      let root = try set.bits.finish()
      writer.references.increment(UInt64(root.number))
      try writesets.push(
        set.era, Writeset(bitCount: set.bitCount, root: UInt64(root.number)))
    } catch {
      throw .output(error)
    }
  }

  package mutating func beginEraArray() throws(WriteError) {
    guard header != nil, open == nil, !hasEraArray else {
      throw .rejected("the era array is out of place")
    }
    hasEraArray = true
  }

  package mutating func era(_ era: UInt32, of block: UInt64) throws(WriteError) {
    guard let header, hasEraArray else { throw .rejected("an era outside of the era array") }
    guard block >= eraCount, block < header.blockCount else {
      throw .rejected("block \(block) of the era array: blocks ascend and are below nr_blocks")
    }
    guard era <= header.currentEra else {
      throw .rejected("the era of block \(block), \(era), is later than \(header.currentEra)")
    }
    do throws(IOError) {
      try eras.push(0, count: block - eraCount)
      try eras.push(era)
    } catch {
      throw .output(error)
    }
    eraCount = block + 1
  }

  package mutating func endEraArray() throws(WriteError) {}

  package mutating func end() throws(WriteError) {
    guard let header else { throw .rejected("missing superblock") }
    let writesetRoot: MetadataBlock
    let eraRoot: MetadataBlock
    do throws(IOError) {
      try eras.push(0, count: UInt64(header.blockCount) - eraCount)
      writesetRoot = try writesets.finish()
      eraRoot = try eras.finish()
    } catch {
      throw .output(error)
    }
    for root in [writesetRoot, eraRoot] { writer.references.increment(UInt64(root.number)) }
    try writer.finish { metadataMap in
      EraSuperblock(
        header, metadataSpaceMap: metadataMap, writesetRoot: UInt64(writesetRoot.number),
        eraArrayRoot: UInt64(eraRoot.number))
    }
  }
}

extension EraSuperblock {
  /// That of new metadata in which no era is open.
  package init(
    _ header: EraHeader, metadataSpaceMap: SpaceMapRoot, writesetRoot: UInt64,
    eraArrayRoot: UInt64
  ) {
    flags = 0
    block = 0
    uuidLow = 0
    uuidHigh = 0
    magic = EraSuperblock.magic
    version = 1
    self.metadataSpaceMap = metadataSpaceMap
    dataBlockSectors = header.dataBlockSectors
    metadataBlockSectors = MetadataBlock.sectors
    blockCount = header.blockCount
    currentEra = header.currentEra
    currentWriteset = Writeset(bitCount: header.blockCount, root: 0)
    self.writesetRoot = writesetRoot
    self.eraArrayRoot = eraArrayRoot
    heldRoot = 0
  }
}
