package import PersistentData

/// Writes cache metadata from its events, in one pass except for the hints and dirty bits, which
/// are kept, a bit and four bytes per cache block, until the mappings are written.
package struct CacheRestorer: CacheEvents {
  package typealias Failure = WriteError

  /// The form to write: 1 keeps dirty bits in the mappings, 2 in a bitset.
  package var version: UInt32 = 2
  /// Say that the last shutdown wasn't clean: the kernel then takes every mapping for dirty.
  package var omitsCleanShutdown = false

  /// The version of a policy's hints that is written: that of smq in today's kernels.
  private static let policyVersion: [UInt32] = [2, 0, 0]

  /// What is being written, from the superblock on.
  private struct Job {
    let header: CacheHeader
    let writer: BlockWriter
    var mappings: ArrayWriter<UInt64>
    var hints: ArrayWriter<UInt32>?

    init(_ header: CacheHeader, _ writer: BlockWriter) {
      self.header = header
      self.writer = writer
      mappings = ArrayWriter(writer)
    }
  }

  private enum Phase {
    case start
    case mappings
    case hints
  }

  private let file: BlockFile
  private var job: Job?
  /// From the superblock; kept beside the job, whose parts are large.
  private var cacheBlockCount: UInt64 = 0
  private var phase = Phase.start
  private var nextMapping: UInt64 = 0
  private var nextHint: UInt64 = 0
  private var dirtyBlocks = Bitset(bitCount: 0)
  /// What came one by one and is not handed on yet: of the cache blocks up to the next.
  private var newMappings = NewValues<UInt64>()
  private var newHints = NewValues<UInt32>()

  /// Whatever `file` holds is gone once a superblock that is possible has come.
  package init(_ file: BlockFile) { self.file = file }

  package mutating func begin(_ header: CacheHeader) throws(WriteError) {
    guard job == nil else { throw .rejected("a second superblock") }
    guard CacheSuperblock.isPossible(dataBlockSectors: header.dataBlockSectors) else {
      throw .rejected(
        "block_size \(header.dataBlockSectors) is not a multiple of "
          + "\(CacheSuperblock.dataBlockSectorsUnit), at most "
          + "\(CacheSuperblock.dataBlockSectorsMaximum)")
    }
    guard header.hintSize == 0 || header.hintSize == 4 else {
      throw .rejected("hint_width \(header.hintSize) is neither 0 nor 4")
    }
    guard header.policy.utf8.count < CacheSuperblock.Layout.policyNameSize else {
      throw .rejected("policy '\(header.policy)' has a name of more than 15 bytes")
    }
    // Also what the kernel adds when the cache is closed next.
    let least = CacheSize.arrayBlocks(
      UInt64(header.cacheBlockCount), hasHints: header.hintSize > 0, hasDirtyBitset: version > 1)
    job = Job(header, try BlockWriter.begin(file, forArrays: least))
    cacheBlockCount = UInt64(header.cacheBlockCount)
    dirtyBlocks = Bitset(bitCount: Int(header.cacheBlockCount))
    phase = .mappings
  }

  package mutating func mapping(_ mapping: CacheBlockMapping) throws(WriteError) {
    if phase == .start { throw .rejected("a mapping before the superblock") }
    let block = mapping.cacheBlock
    guard block >= nextMapping, block < cacheBlockCount, phase == .mappings else {
      throw .rejected("mapping of cache block \(block): blocks ascend, below nr_cache_blocks")
    }
    guard mapping.originBlock < CacheMapping.originBlockEnd else {
      throw .rejected("origin block \(mapping.originBlock) is too large")
    }
    let value = CacheMapping(
      originBlock: mapping.originBlock, isDirty: mapping.isDirty && version == 1)
    if !newMappings.append(value.value, after: block - nextMapping) {
      try handOnMappings(before: block)
      _ = newMappings.append(value.value, after: 0)
    }
    if mapping.isDirty { dirtyBlocks[block] = true }
    nextMapping = block + 1
  }

  /// Hands on the mappings that wait, and one of nothing for each block after them up to `block`.
  private mutating func handOnMappings(before block: UInt64) throws(WriteError) {
    do throws(IOError) {
      try job?.mappings.push(newMappings.takeAll())
      try job?.mappings.push(0, count: block - nextMapping)
    } catch {
      throw .output(error)
    }
    nextMapping = block
  }

  package mutating func mappings(
    _ values: consuming [UInt64], from first: UInt64, of blocks: Bitset, dirty: Bitset
  ) throws(WriteError) {
    let end = first.addingReportingOverflow(UInt64(values.count))
    guard first >= nextMapping, !end.overflow, end.partialValue <= cacheBlockCount,
      phase == .mappings
    else {
      // One of them can't be written: this names it.
      return try mappingsOneByOne(values, from: first, of: blocks, dirty: dirty)
    }
    values.keep(
      blocks, from: first, mask: ~CacheMapping.flags, flags: CacheMapping.validFlag)
    for start in stride(from: first, to: end.partialValue, by: UInt64.bitWidth) {
      let isOther = UInt64.max << min(UInt64(UInt64.bitWidth), end.partialValue - start)
      let dirty = blocks.bits(from: start) & dirty.bits(from: start) & ~isOther
      dirtyBlocks.set(dirty, from: start)
      if version == 1 { values.setDirtyFlags(dirty, from: Int(start - first)) }
    }
    try handOnMappings(before: first)
    do throws(IOError) { try job?.mappings.push(values) } catch { throw .output(error) }
    nextMapping = end.partialValue
  }

  package mutating func beginHints() throws(WriteError) {
    guard let job, phase == .mappings else { throw .rejected("hints are out of place") }
    // Hints of no size are not written.
    if job.header.hintSize > 0 { self.job?.hints = ArrayWriter(job.writer) }
    phase = .hints
  }

  package mutating func hint(_ hint: UInt32, of cacheBlock: UInt64) throws(WriteError) {
    guard phase == .hints else { throw .rejected("a hint outside of hints") }
    guard cacheBlock >= nextHint, cacheBlock < cacheBlockCount else {
      throw .rejected("hint of cache block \(cacheBlock): blocks ascend, below nr_cache_blocks")
    }
    if !newHints.append(hint, after: cacheBlock - nextHint) {
      try handOnHints(before: cacheBlock)
      _ = newHints.append(hint, after: 0)
    }
    nextHint = cacheBlock + 1
  }

  /// The same for hints.
  private mutating func handOnHints(before block: UInt64) throws(WriteError) {
    do throws(IOError) {
      try job?.hints?.push(newHints.takeAll())
      try job?.hints?.push(0, count: block - nextHint)
    } catch {
      throw .output(error)
    }
    nextHint = block
  }

  package mutating func hints(
    _ hints: consuming [UInt32], from first: UInt64, of blocks: Bitset
  ) throws(WriteError) {
    let end = first.addingReportingOverflow(UInt64(hints.count))
    guard phase == .hints, first >= nextHint, !end.overflow, end.partialValue <= cacheBlockCount
    else {
      // One of them can't be written: this names it.
      return try hintsOneByOne(hints, from: first, of: blocks)
    }
    hints.keep(blocks, from: first)
    try handOnHints(before: first)
    do throws(IOError) { try job?.hints?.push(hints) } catch { throw .output(error) }
    nextHint = end.partialValue
  }

  package mutating func end() throws(WriteError) {
    try handOnMappings(before: cacheBlockCount)
    if job?.hints != nil { try handOnHints(before: cacheBlockCount) }
    guard var job else { throw .rejected("missing superblock") }
    let (header, writer) = (job.header, job.writer)
    var roots = CacheRoots()
    do throws(IOError) {
      roots.mappings = UInt64(try job.mappings.finish().number)
      // A policy with hints finds one for each block, or none at all.
      if job.hints != nil {
        roots.hints = UInt64(try job.hints?.finish().number ?? 0)
      }
      var discards = ArrayWriter<UInt64>(writer)
      roots.discards = UInt64(try discards.finish().number)
      if version > 1 {
        var bits = BitsetWriter(writer, bitCount: cacheBlockCount)
        try bits.set(dirtyBlocks)
        roots.dirtyBits = UInt64(try bits.finish().number)
      }
    } catch {
      throw .output(error)
    }
    for root in [roots.mappings, roots.hints, roots.discards, roots.dirtyBits] where root != 0 {
      writer.references.increment(root)
    }
    try writer.finish { metadataMap in
      var superblock = CacheSuperblock(header, roots, version: version, metadataMap)
      superblock.policyVersion = CacheRestorer.policyVersion
      if !omitsCleanShutdown { superblock.flags = CacheSuperblock.cleanShutdownFlag }
      return superblock
    }
  }
}

extension [UInt64] {
  /// Marks those of 64 mappings as dirty, from an index on, whose bit is set.
  fileprivate mutating func setDirtyFlags(_ bits: UInt64, from start: Int) {
    for index in start..<Swift.min(start + UInt64.bitWidth, count) {
      self[index] |= (bits >> UInt64(index - start) & 1) * CacheMapping.dirtyFlag
    }
  }
}

/// Where the arrays of a cache start; 0 stands for none.
struct CacheRoots: Hashable, Sendable {
  var mappings: UInt64 = 0
  var hints: UInt64 = 0
  var discards: UInt64 = 0
  var dirtyBits: UInt64 = 0
}

extension CacheSuperblock {
  /// The superblock of new metadata, without discards and statistics.
  init(
    _ header: CacheHeader, _ roots: CacheRoots, version: UInt32,
    _ metadataSpaceMap: SpaceMapRoot
  ) {
    flags = 0
    block = 0
    uuidLow = 0
    uuidHigh = 0
    magic = CacheSuperblock.magic
    self.version = version
    let name = Array(header.policy.utf8.prefix(Layout.policyNameSize))
    policyName = name + Array(repeating: 0, count: Layout.policyNameSize - name.count)
    policyHintSize = roots.hints == 0 ? 0 : header.hintSize
    self.metadataSpaceMap = metadataSpaceMap
    mappingRoot = roots.mappings
    hintRoot = roots.hints
    discardRoot = roots.discards
    discardBlockSectors = 0
    discardBlockCount = 0
    dataBlockSectors = header.dataBlockSectors
    metadataBlockSectors = MetadataBlock.sectors
    cacheBlockCount = header.cacheBlockCount
    compatibleFlags = 0
    readOnlyCompatibleFlags = 0
    incompatibleFlags = 0
    readHits = 0
    readMisses = 0
    writeHits = 0
    writeMisses = 0
    policyVersion = [0, 0, 0]
    dirtyRoot = roots.dirtyBits
  }
}
