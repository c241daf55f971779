package import PersistentData

/// Writes era metadata from its events, in one pass: bitsets as they come, then the era array, the
/// space map, and the superblock last.
///
/// The result is as after a clean removal: every writeset is archived, and the kernel begins a new
/// era when it activates the device.
package struct EraRestorer: EraEvents {
  package typealias Failure = WriteError

  /// What is being written, from the superblock on.
  private struct Job {
    let header: EraHeader
    let writer: BlockWriter
    var writesets: TreeWriter<Writeset>
    var eras: ArrayWriter<UInt32>

    init(_ header: EraHeader, _ writer: BlockWriter) {
      self.header = header
      self.writer = writer
      writesets = TreeWriter(writer)
      eras = ArrayWriter(writer)
    }
  }

  /// From the superblock; kept beside the job, whose parts are large.
  private var blockCount: UInt64 = 0
  private var currentEra: UInt32 = 0

  private let file: BlockFile
  private var job: Job?
  private var lastEra: UInt64?
  private var open: (era: UInt64, bitCount: UInt32, bits: BitsetWriter, next: UInt64)?
  private var eraCount: UInt64 = 0
  /// Eras that came one by one and are not handed on yet: of the blocks up to `eraCount`.
  private var newEras = NewValues<UInt32>()
  private var hasEraArray = false
  /// The current era, where it came without a writeset though earlier eras have some: tools that
  /// look at archived ones alone leave it out after a crash. Every block counts as written in it.
  package private(set) var presumedEra: UInt64?

  /// Whatever `file` holds is gone once a superblock that is possible has come.
  package init(_ file: BlockFile) { self.file = file }

  package mutating func begin(_ header: EraHeader) throws(WriteError) {
    guard job == nil else { throw .rejected("a second superblock") }
    let unit = EraSuperblock.dataBlockSectorsUnit
    guard header.dataBlockSectors > 0, header.dataBlockSectors % unit == 0 else {
      throw .rejected("block_size \(header.dataBlockSectors) is not a multiple of \(unit)")
    }
    guard header.blockCount <= EraSuperblock.blockCountMaximum else {
      throw .rejected(
        "nr_blocks \(header.blockCount) is larger than \(EraSuperblock.blockCountMaximum)")
    }
    let least = ArraySize.blocks(EraReader.Structure.eraArray, UInt64(header.blockCount))
    job = Job(header, try BlockWriter.begin(file, forArrays: least))
    blockCount = UInt64(header.blockCount)
    currentEra = header.currentEra
  }

  package mutating func beginWriteset(era: UInt64, bitCount: UInt32) throws(WriteError) {
    guard let job else { throw .rejected("a writeset before the superblock") }
    guard open == nil, !hasEraArray else { throw .rejected("writeset \(era) is out of place") }
    if let lastEra, era <= lastEra {
      throw .rejected("writeset \(era) must not follow writeset \(lastEra): eras ascend")
    }
    guard era <= job.header.currentEra else {
      throw .rejected("writeset \(era) is later than the current era, \(job.header.currentEra)")
    }
    if let lastEra, era > lastEra + 1 { throw EraRestorer.missing(lastEra + 1, blockCount) }
    lastEra = era
    open = (era, bitCount, BitsetWriter(job.writer, bitCount: UInt64(bitCount)), 0)
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
      job?.writer.references.increment(UInt64(root.number))
      try job?.writesets.push(
        set.era, Writeset(bitCount: set.bitCount, root: UInt64(root.number)))
    } catch {
      throw .output(error)
    }
  }

  package mutating func beginEraArray() throws(WriteError) {
    guard job != nil, open == nil, !hasEraArray else {
      throw .rejected("the era array is out of place")
    }
    hasEraArray = true
  }

  package mutating func era(_ era: UInt32, of block: UInt64) throws(WriteError) {
    guard hasEraArray else { throw .rejected("an era outside of the era array") }
    guard block >= eraCount, block < blockCount else {
      throw .rejected("block \(block) of the era array: blocks ascend and are below nr_blocks")
    }
    guard era <= currentEra else {
      throw .rejected("the era of block \(block), \(era), is later than \(currentEra)")
    }
    if !newEras.append(era, after: block - eraCount) {
      try handOnEras(before: block)
      _ = newEras.append(era, after: 0)
    }
    eraCount = block + 1
  }

  /// Hands on the eras that wait, and 0 for each block after them up to `block`.
  private mutating func handOnEras(before block: UInt64) throws(WriteError) {
    do throws(IOError) {
      try job?.eras.push(newEras.takeAll())
      try job?.eras.push(0, count: block - eraCount)
    } catch {
      throw .output(error)
    }
    eraCount = block
  }

  package mutating func eras(_ eras: [UInt32], from first: UInt64) throws(WriteError) {
    let end = first.addingReportingOverflow(UInt64(eras.count))
    guard hasEraArray, first == eraCount, !end.overflow, end.partialValue <= blockCount,
      eras.reduce(0, max) <= currentEra
    else {
      // One of them can't be written: this names it.
      for (index, era) in eras.enumerated() { try self.era(era, of: first + UInt64(index)) }
      return
    }
    try handOnEras(before: first)
    do throws(IOError) { try job?.eras.push(eras) } catch { throw .output(error) }
    eraCount = end.partialValue
  }

  package mutating func endEraArray() throws(WriteError) {}

  /// Without an era's writeset it isn't known what was written then, and a backup would miss it.
  private static func missing(_ era: UInt64, _ blockCount: UInt64) -> WriteError {
    .rejected(
      "the writeset of era \(era) is missing, though there are writesets of earlier eras: what was "
        + "written then isn't known. To have every block count as written, add:\n"
        + "  <writeset era=\"\(era)\" nr_bits=\"\(blockCount)\"><marked block_begin=\"0\" "
        + "len=\"\(blockCount)\"/></writeset>")
  }

  /// Makes up a writeset that comes after all others, if it belongs to the current era.
  private mutating func presume(_ era: UInt64) throws(WriteError) {
    guard era == UInt64(currentEra) else { throw EraRestorer.missing(era, blockCount) }
    hasEraArray = false
    try beginWriteset(era: era, bitCount: UInt32(blockCount))
    try marked(0..<blockCount)
    try endWriteset()
    hasEraArray = true
    presumedEra = era
  }

  package mutating func end() throws(WriteError) {
    if let lastEra, lastEra < UInt64(currentEra) { try presume(lastEra + 1) }
    try handOnEras(before: blockCount)
    guard var job else { throw .rejected("missing superblock") }
    let (header, writer) = (job.header, job.writer)
    let writesetRoot: MetadataBlock
    let eraRoot: MetadataBlock
    do throws(IOError) {
      writesetRoot = try job.writesets.finish()
      eraRoot = try job.eras.finish()
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
  /// The superblock of new metadata in which no era is open.
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
