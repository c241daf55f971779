/// The blocks of a space map whose stored count differs from what was counted, as evidence; for
/// findings see `SpaceMapComparison`.
package struct CountDifferences: Sendable {
  /// Neighbouring blocks with the same counts.
  package struct Difference: Hashable, Joinable, Sendable {
    package fileprivate(set) var blocks: ClosedRange<UInt64>
    package let stored: UInt64
    package let counted: UInt64

    package mutating func join(_ next: Difference) -> Bool {
      next.stored == stored && next.counted == counted && blocks.join(next.blocks)
    }

    package var length: UInt64 { blocks.upperBound - blocks.lowerBound + 1 }

    /// The difference of all blocks together. Numbers above a million are capped: they need not be
    /// exact.
    fileprivate func references(between low: UInt64, and high: UInt64) -> UInt64 {
      min(length, 1 << 20) * min(high - low, 1 << 20)
    }
  }

  /// The wanted differences, ascending by block.
  package private(set) var all: [Difference] = []
  /// Whether any count that could be read differs, wanted or not.
  package private(set) var hasAny = false
  /// Whether every stored count could be read, and no difference was left out because of the limit.
  package private(set) var isComplete: Bool

  /// Reads all bitmaps of `map`, in parallel. `limit`: the most differences of use; no memory is
  /// spent on more. `isWanted`: filters by stored count. `takingAll`: also reads bitmaps that
  /// disagree with the index or the root; otherwise they don't count as evidence.
  package init(
    _ map: StoredSpaceMap, with counted: RefCounts, atMost limit: Int,
    takingAll: Bool = false,
    where isWanted: @escaping @Sendable (UInt64) -> Bool = { _ in true }
  ) {
    let bitmaps = map.entries.indices.compactMap { index in
      map.entries[index].map { (index: index, block: UInt32($0.block)) }
    }.sorted { $0.block < $1.block }
    let visitors = BlockScan(map.file, bitmaps.map(\.block)).run {
      Visitor(
        map: map, counted: counted, indices: bitmaps.map(\.index), limit: limit,
        takesAll: takingAll, isWanted: isWanted)
    }
    hasAny = visitors.contains(where: \.hasAny)
    all = visitors.flatMap(\.found).sorted { $0.blocks.lowerBound < $1.blocks.lowerBound }
    let isWhole = bitmaps.count == map.entries.count && visitors.allSatisfy(\.hasAllBitmaps)
    isComplete =
      map.hasAllLargeCounts && isWhole && visitors.allSatisfy(\.isWhole) && all.count <= limit
    if !takingAll, isWhole, !map.bears(out: visitors.reduce(0) { $0 + $1.allocatedCount }) {
      all = []
      isComplete = false
    }
  }

  /// Blocks with fewer references found than stored: what lost or wrong blocks referred to, and
  /// what leaked.
  package var deficits: [Difference] { all.filter { $0.counted < $0.stored } }

  /// Blocks with more references found than stored: what wrong blocks refer to now.
  package var surpluses: [Difference] { all.filter { $0.counted > $0.stored } }

  /// The total of missing references.
  package var missingReferences: UInt64 {
    deficits.map { $0.references(between: $0.counted, and: $0.stored) }.cappedSum
  }

  /// The total of surplus references.
  package var surplusReferences: UInt64 {
    surpluses.map { $0.references(between: $0.stored, and: $0.counted) }.cappedSum
  }

  private struct Visitor: BlockVisitor {
    let map: StoredSpaceMap
    let counted: RefCounts
    /// Which bitmap each block of the scan is.
    let indices: [Int]
    let limit: Int
    let takesAll: Bool
    let isWanted: @Sendable (UInt64) -> Bool
    var found: [Difference] = []
    var hasAny = false
    var isWhole = true
    var hasAllBitmaps = true
    /// Blocks with a count above 0.
    var allocatedCount: UInt64 = 0

    mutating func unreadable(_ index: Int, _ error: IOError) { hasAllBitmaps = false }

    mutating func visit(_ index: Int, _ bytes: RawSpan) {
      if let summary = takesAll ? nil : map.evidence(bytes, ofBitmap: indices[index]) {
        allocatedCount += UInt64(summary.usedCount)
      } else if !takesAll || !map.isBitmap(bytes, indices[index]) {
        hasAllBitmaps = false
        return
      }
      let range = map.range(ofBitmap: indices[index])
      guard found.count <= limit else {
        isWhole = false
        return
      }
      let expected = counted.bitmapWords(from: range.lowerBound, Bitmap.wordCount)
      let words = Bitmap(bytes).words
      for word in words.indices {
        let stored = words[word]
        // Counts of 3 and more are looked up one by one.
        if stored & stored >> 1 & Bitmap.lowBits == 0, stored == expected[word] { continue }
        let first = range.lowerBound + UInt64(word * Bitmap.entriesPerWord)
        for entry in 0..<Bitmap.entriesPerWord where first + UInt64(entry) < range.upperBound {
          compare(first + UInt64(entry), Bitmap.count(entry, in: stored))
        }
      }
    }

    private mutating func compare(_ block: UInt64, _ entry: Int) {
      guard let stored = entry < 3 ? UInt64(entry) : map.largeCounts[block].map(UInt64.init)
      else {
        isWhole = false
        return
      }
      let counted = block < counted.count ? counted[block] : 0
      guard stored != counted else { return }
      hasAny = true
      guard isWanted(stored) else { return }
      found.appendJoining(Difference(blocks: block...block, stored: stored, counted: counted))
    }
  }
}
