internal import PersistentData

/// Reads a damaged pool for a repair, walking it as often as needed, and finds out what bounds its
/// mappings: an impossible number in the superblock, or an impossible time, costs no mapping.
struct SalvageReader {
  private let file: BlockFile
  /// With the number of data blocks that is believed.
  private(set) var superblock: Superblock
  /// The pool's time, and which times are beyond it.
  private(set) var time: PoolTime
  /// The number of data blocks that the superblock has, where more are believed.
  private(set) var dataBlockCountBefore: UInt64?

  private let findings: Findings
  /// The least number of data blocks, as given by the user.
  private let givenDataBlockCount: UInt64?
  private var lateTimes: LateTimes?
  private let ownTime: UInt32?

  /// `isInferred`: whether the superblock is made up, without a time or a number of data blocks of
  /// its own. `findings`: about the superblock.
  init(
    _ file: BlockFile, _ superblock: Superblock, isInferred: Bool, overrides: PoolOverrides,
    findings: Findings
  ) {
    self.file = file
    self.superblock = superblock
    self.findings = findings
    givenDataBlockCount = overrides.dataBlockCount
    ownTime = isInferred ? nil : superblock.time
    time = PoolTime(ownTime)
  }

  /// Walks the pool from the roots of another superblock and reads its mappings.
  mutating func read(_ other: Superblock, _ choice: RootChoice) -> PoolReading {
    let blockCount = max(superblock.dataSpaceMap.blockCount, other.dataSpaceMap.blockCount)
    superblock = other
    superblock.dataSpaceMap.blockCount = blockCount
    return read(choice)
  }

  /// Walks the pool and reads its mappings.
  private mutating func read(_ choice: RootChoice) -> PoolReading {
    // Blocks put back between two walks can bear out a time that none did before.
    time = PoolTime(ownTime)
    lateTimes = nil
    var pool = readOnce(choice)
    if pool.reader.findings.counts[.dataBlockOutOfRange] != nil, raiseDataBlockCount(choice) {
      pool = readOnce(choice)
    }
    if time.settle(pool.counts.latestTimes) { pool = readOnce(choice) }
    if !pool.counts.lateBlocks.isEmpty {
      lateTimes = LateTimes(of: pool.counts.lateBlocks, in: pool.reader)
      pool = readOnce(choice)
    }
    return pool
  }

  private func readOnce(_ choice: RootChoice) -> PoolReading {
    var reader = PoolReader(file, superblock, choosing: choice, findings: findings)
    reader.limits.time = time.limit
    reader.limits.lateTimes = lateTimes
    let counts = reader.readMappings(keepingRuns: true)
    return PoolReading(reader: reader, counts: counts)
  }

  /// Raises the number of data blocks if bitmaps cover more, and blocks there are in use and
  /// mapped; or if the user says that there are more. Returns whether it did.
  private mutating func raiseDataBlockCount(_ choice: RootChoice) -> Bool {
    let before = superblock.dataSpaceMap.blockCount
    var wide = superblock
    wide.dataSpaceMap.blockCount = StoredSpaceMap.countedDataBlocks(of: superblock, in: file)
    var highest = before
    if wide.dataSpaceMap.blockCount > before {
      var reader = PoolReader(file, wide, choosing: choice, findings: findings)
      reader.limits.time = .max
      let counts = reader.readMappings()
      let map = StoredSpaceMap.data(of: wide, in: file)
      highest = max(highest, map.endInUse(by: counts.references, in: file))
    }
    if let givenDataBlockCount { highest = max(highest, givenDataBlockCount) }
    if highest <= before { return false }
    dataBlockCountBefore = dataBlockCountBefore ?? before
    superblock.dataSpaceMap.blockCount = highest
    return true
  }
}

extension StoredSpaceMap {
  /// The data space map, whose blocks are claimed elsewhere.
  fileprivate static func data(of superblock: Superblock, in file: BlockFile) -> StoredSpaceMap {
    var usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    var findings = Findings()
    return StoredSpaceMap(
      PoolReader.Structure.dataSpaceMap, root: superblock.dataSpaceMap, index: .tree, in: file,
      usage: &usage, findings: &findings)
  }

  /// How many data blocks the bitmaps below the index have room for, whatever the superblock says;
  /// at most as many as the metadata device can count.
  fileprivate static func countedDataBlocks(of superblock: Superblock, in file: BlockFile) -> UInt64
  {
    let bitmaps = data(of: superblock, in: file).indexEnd
    let limit = min(file.blockCount, MetadataBlock.maximumCount)
    return min(bitmaps, limit) * UInt64(Bitmap.entryCount)
  }

  /// One more than the last block that is both in use, as stored, and referred to.
  fileprivate func endInUse(by counts: RefCounts, in file: BlockFile) -> UInt64 {
    var end: UInt64 = 0
    let bitmaps = entries.enumerated().compactMap { index, entry in
      entry.flatMap { UInt32(exactly: $0.block) }.map { (index: index, block: $0) }
    }.sorted { $0.block < $1.block }
    let visitors = BlockScan(file, bitmaps.map(\.block)).run {
      EndVisitor(counts: counts, starts: bitmaps.map { range(ofBitmap: $0.index).lowerBound })
    }
    for visitor in visitors { end = max(end, visitor.end) }
    return end
  }
}

/// Finds the last block that bitmaps say is in use and that something refers to.
private struct EndVisitor: BlockVisitor {
  let counts: RefCounts
  /// The block that the first entry of each bitmap stands for.
  let starts: [UInt64]
  private(set) var end: UInt64 = 0

  init(counts: RefCounts, starts: [UInt64]) {
    self.counts = counts
    self.starts = starts
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {}

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    guard BlockKind(of: bytes) == .bitmap else { return }
    let bitmap = Bitmap(bytes)
    for word in 0..<Bitmap.wordCount {
      let first = starts[index] + UInt64(word * Bitmap.entriesPerWord)
      let both =
        EndVisitor.used(bitmap.word(word)) & EndVisitor.used(counts.bitmapWord(from: first))
      if both == 0 { continue }
      let last = (UInt64.bitWidth - 1 - both.leadingZeroBitCount) / 2
      end = max(end, first + UInt64(last) + 1)
    }
  }

  /// A bit for each entry of a word that isn't 0.
  private static func used(_ word: UInt64) -> UInt64 {
    (word | word >> 1) & 0x5555_5555_5555_5555
  }
}
