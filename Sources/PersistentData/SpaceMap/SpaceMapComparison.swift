/// A comparison of a space map with the references that were counted.
package struct SpaceMapComparison: Sendable {
  /// What has to be corrected for one bitmap.
  package struct Correction: Hashable, Sendable {
    /// Whether entries are too high and may be lowered to what was counted.
    package var hasHighCounts = false
    /// Whether the bitmap's index entry is wrong.
    package var hasWrongIndexEntry = false
  }

  package fileprivate(set) var corrections: [Int: Correction] = [:]
  /// Allocated blocks according to the bitmaps on disk.
  package fileprivate(set) var allocatedCount: UInt64 = 0

  /// Reads all bitmaps of `map`, in parallel, and compares them with `counted`.
  ///
  /// A count that is too low is an error: its block can be allocated although it is in use. A count
  /// that is too high only wastes space. `missedByFormat`: blocks in use that the first bitmap's
  /// free count may include, as kernels format this target.
  package init(
    _ map: StoredSpaceMap, with counted: RefCounts, missedByFormat: UInt32 = 0,
    findings: inout Findings
  ) {
    let bitmaps = map.entries.indices.compactMap { index in
      map.entries[index].map { (index: index, entry: $0) }
    }.sorted { $0.entry.block < $1.entry.block }
    let blocks = bitmaps.map { UInt32($0.entry.block) }
    let visitors = BlockScan(map.file, blocks).run {
      BitmapVisitor(map: map, counted: counted, missedByFormat: missedByFormat, bitmaps: bitmaps)
    }
    for visitor in visitors {
      findings.merge(visitor.findings)
      corrections.merge(visitor.corrections) { first, _ in first }
      allocatedCount += visitor.allocatedCount
    }
    SpaceMapComparison.reportUncountable(map, counted, &findings)
    let isWhole = visitors.allSatisfy(\.isWhole) && bitmaps.count == map.entries.count
    if isWhole, allocatedCount != map.root.allocatedCount {
      findings.report(
        .allocatedCountWrong, at: map.site(), found: map.root.allocatedCount,
        expected: allocatedCount)
    }
  }
}

extension SpaceMapComparison {
  /// Reports blocks in use past the end of the space map: nothing keeps them from being allocated
  /// once it is extended.
  private static func reportUncountable(
    _ map: StoredSpaceMap, _ counted: RefCounts, _ findings: inout Findings
  ) {
    let end = map.root.blockCount
    if let first = counted.firstCounted(from: end) {
      findings.report(
        .refCountTooLow, at: map.site(keys: first...first),
        found: "the space map ends at \(end)", expected: .exactly(counted[first]))
    }
  }
}

private struct BitmapVisitor: BlockVisitor {
  let map: StoredSpaceMap
  let counted: RefCounts
  let missedByFormat: UInt32
  let bitmaps: [(index: Int, entry: IndexEntry)]
  var findings = Findings()
  var corrections: [Int: SpaceMapComparison.Correction] = [:]
  var allocatedCount: UInt64 = 0
  var isWhole = true

  /// Joins neighbouring blocks with the same fault into one finding.
  private var faults = Joiner<Fault>()

  private struct Fault: Joinable {
    let rule: Rule
    var blocks: ClosedRange<UInt64>
    let stored: UInt64
    let counted: UInt64

    mutating func join(_ next: Fault) -> Bool {
      next.rule == rule && next.stored == stored && next.counted == counted
        && blocks.join(next.blocks)
    }
  }

  init(
    map: StoredSpaceMap, counted: RefCounts, missedByFormat: UInt32,
    bitmaps: [(index: Int, entry: IndexEntry)]
  ) {
    self.map = map
    self.counted = counted
    self.missedByFormat = missedByFormat
    self.bitmaps = bitmaps
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {
    isWhole = false
    findings.report(.blockUnreadable, at: site(index), found: Evidence(words: error.description))
  }

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    let block = MetadataBlock(UInt32(bitmaps[index].entry.block))
    if let fault = BlockFault(bytes, as: .bitmap, in: block) {
      isWhole = false
      findings.report(fault, expected: .bitmap, in: block, at: site(index))
      return
    }
    let bitmap = Bitmap(bytes)
    compareEntries(bitmap, of: bitmaps[index].index)
    compareIndexEntry(bitmap, bitmaps[index].entry, of: bitmaps[index].index)
    compareLargeCounts(bitmap, of: bitmaps[index].index)
  }

  private func site(_ index: Int) -> Site {
    let range = map.range(ofBitmap: bitmaps[index].index)
    return map.site(
      block: bitmaps[index].entry.block, keys: range.lowerBound...range.upperBound - 1)
  }

  /// Compares word by word; a correct word without large counts costs one comparison.
  private mutating func compareEntries(_ bitmap: Bitmap, of index: Int) {
    let range = map.range(ofBitmap: index)
    let expected = counted.bitmapWords(from: range.lowerBound, Bitmap.wordCount)
    for word in 0..<Bitmap.wordCount {
      let stored = bitmap.word(word)
      let first = range.lowerBound + UInt64(word * Bitmap.entriesPerWord)
      let large = stored & stored >> 1 & Bitmap.lowBits
      if large == 0, stored == expected[word] { continue }
      for entry in 0..<Bitmap.entriesPerWord {
        compareEntry(
          Bitmap.count(entry, in: stored), block: first + UInt64(entry), end: range.upperBound)
      }
    }
    report(faults.finish(), ofBitmap: index)
  }

  private mutating func compareEntry(_ entry: Int, block: UInt64, end: UInt64) {
    guard block < end else {
      if entry > 0 {
        findings.report(
          .entryBeyondEnd, at: map.site(keys: block...block), found: "count \(entry)")
      }
      return
    }
    var stored = UInt64(entry)
    if entry == 3 {
      guard let large = map.largeCounts[block] else {
        // Damage to the tree itself has been reported.
        if map.hasAllLargeCounts {
          findings.report(.refCountEntryMissing, at: map.site(keys: block...block))
        }
        return
      }
      stored = UInt64(large)
    }
    let counted = block < counted.count ? counted[block] : 0
    guard stored != counted else { return }
    let rule: Rule =
      stored < counted ? .refCountTooLow : counted == 0 ? .blockLeaked : .refCountTooHigh
    report(
      faults.add(Fault(rule: rule, blocks: block...block, stored: stored, counted: counted)),
      ofBitmap: Int(block) / Bitmap.entryCount)
  }

  private mutating func report(_ fault: Fault?, ofBitmap index: Int) {
    guard let fault else { return }
    findings.report(
      fault.rule, at: map.site(keys: fault.blocks), found: "count \(fault.stored)",
      expected: .exactly(fault.counted), times: fault.blocks.count)
    if fault.rule != .refCountTooLow {
      corrections[index, default: .init()].hasHighCounts = true
    }
  }

  private mutating func compareIndexEntry(_ bitmap: Bitmap, _ entry: IndexEntry, of index: Int) {
    let range = map.range(ofBitmap: index)
    let summary = BitmapSummary(bitmap, entryCount: Int(range.upperBound - range.lowerBound))
    allocatedCount += UInt64(summary.usedCount)
    let missed = index == 0 ? missedByFormat : 0
    let isRight =
      summary.bears(out: entry, blockCount: range.count)
      || entry.freeCount == summary.freeCount(slots: Bitmap.entryCount) + missed
    let site = map.site(keys: range.lowerBound...range.upperBound - 1)
    if !isRight {
      findings.report(
        .freeCountWrong, at: site, found: UInt64(entry.freeCount),
        expected: UInt64(summary.freeCount(slots: Bitmap.entryCount)))
    }
    // If every block is in use, the first spare slot counts as the first free one.
    let firstFree = summary.firstFree ?? range.count
    let isTooHigh = Int(entry.noneFreeBefore) > firstFree
    if isTooHigh {
      findings.report(
        .firstFreeTooHigh, at: site, found: UInt64(entry.noneFreeBefore),
        expected: UInt64(firstFree))
    }
    if !isRight || isTooHigh { corrections[index, default: .init()].hasWrongIndexEntry = true }
  }

  /// Reports entries in the tree of large counts whose bitmap entry isn't 3.
  private mutating func compareLargeCounts(_ bitmap: Bitmap, of index: Int) {
    let range = map.range(ofBitmap: index)
    for block in map.largeCounts.blocks(in: range) {
      let entry = Int(block - range.lowerBound)
      let word = bitmap.word(entry / Bitmap.entriesPerWord)
      if Bitmap.count(entry % Bitmap.entriesPerWord, in: word) != 3 {
        findings.report(.refCountEntrySuperfluous, at: map.site(keys: block...block))
      }
    }
  }
}

/// The totals of a bitmap's entries.
package struct BitmapSummary: Sendable {
  /// Entries above 0.
  package private(set) var usedCount = 0
  /// The first entry that is 0.
  package private(set) var firstFree: Int?

  static let empty = BitmapSummary()

  private init() {}

  /// Sums the first `entryCount` entries; any others stand for no block.
  package init(_ bitmap: Bitmap, entryCount: Int) {
    let words = bitmap.words
    let wholeWords = min(words.count, entryCount / Bitmap.entriesPerWord)
    var used = 0
    var full = 0
    for word in 0..<wholeWords {
      let bits = (words[word] | words[word] >> 1) & Bitmap.lowBits
      used &+= bits.nonzeroBitCount
      if full == word, bits == Bitmap.lowBits { full &+= 1 }
    }
    usedCount = used
    if full < wholeWords {
      firstFree = BitmapSummary.firstFree(in: words[full], full, slots: Bitmap.entriesPerWord)
    }
    let rest = entryCount - wholeWords * Bitmap.entriesPerWord
    guard wholeWords < words.count, rest > 0 else { return }
    let bits = (words[wholeWords] | words[wholeWords] >> 1) & Bitmap.lowBits
    usedCount += (bits & ((1 << (2 * UInt64(rest))) - 1)).nonzeroBitCount
    firstFree =
      firstFree ?? BitmapSummary.firstFree(in: words[wholeWords], wholeWords, slots: rest)
  }

  /// The first entry that is 0 among the first `slots` of word number `index`.
  private static func firstFree(in word: UInt64, _ index: Int, slots: Int) -> Int? {
    let entry = (~(word | word >> 1) & Bitmap.lowBits).trailingZeroBitCount / 2
    return entry < slots ? index * Bitmap.entriesPerWord + entry : nil
  }

  package func freeCount(slots: Int) -> UInt32 { UInt32(slots - usedCount) }

  /// Whether the index entry agrees with this, for a bitmap that counts `blockCount` blocks.
  /// Kernels count the last bitmap's spare slots as free, some tools don't.
  func bears(out entry: IndexEntry, blockCount: Int) -> Bool {
    entry.freeCount == freeCount(slots: Bitmap.entryCount)
      || entry.freeCount == freeCount(slots: blockCount)
  }
}
