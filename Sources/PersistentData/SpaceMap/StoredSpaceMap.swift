/// A space map on disk: its root, its index and its tree of large counts.
///
/// Its own blocks have been visited and counted; its bitmaps are read when it is compared with
/// what was counted.
package struct StoredSpaceMap: Sendable {
  /// How the two space maps keep their index.
  package enum Index: Sendable {
    /// In a B-tree: the data space map.
    case tree
    /// In one block: the metadata space map.
    case block
  }

  package let label: StructureLabel
  package var name: String { label.name }
  package let root: SpaceMapRoot
  package let index: Index
  /// By bitmap; `nil` where the index has no readable entry.
  package private(set) var entries: [IndexEntry?]
  /// The tree of large counts, by block.
  package private(set) var largeCounts = LargeCounts()
  /// The sound leaves of the index tree and of the tree of large counts, with the keys they hold.
  private(set) var indexLeaves: [(block: MetadataBlock, keys: ClosedRange<UInt64>)] = []
  private(set) var largeCountLeaves: [(block: MetadataBlock, keys: ClosedRange<UInt64>)] = []
  /// Whether all of the tree of large counts could be read.
  package private(set) var hasAllLargeCounts = true
  let file: BlockFile

  /// The stored count of every block; `nil` for blocks whose bitmap, or whose large count, can't be
  /// read.
  package func readCounts() -> [UInt32?] {
    var counts = [UInt32?](repeating: nil, count: Int(min(root.blockCount, file.blockCount)))
    let read = readWords()
    if read.count == entries.count {
      let allocated = read.reduce(0) { sum, bitmap in
        bitmap.words.reduce(sum) {
          $0 + UInt64((($1 | $1 >> 1) & Bitmap.lowBits).nonzeroBitCount)
        }
      }
      guard bears(out: allocated) else { return counts }
    }
    for (index, words) in read {
      let first = index * Bitmap.entryCount
      for entry in 0..<min(Bitmap.entryCount, max(0, counts.count - first)) {
        let word = words[entry / Bitmap.entriesPerWord]
        let count = Bitmap.count(entry % Bitmap.entriesPerWord, in: word)
        counts[first + entry] = count < 3 ? UInt32(count) : largeCounts[UInt64(first + entry)]
      }
    }
    return counts
  }

  /// The entries of every trustworthy bitmap (see `evidence`), two bits per block, with the
  /// bitmap's index.
  ///
  /// `evenImplausible`: also those of bitmaps that disagree with the index.
  package func readWords(evenImplausible: Bool = false) -> [(index: Int, words: [UInt64])] {
    let bitmaps = entries.indices.compactMap { index in
      entries[index].map { (index: index, block: UInt32($0.block)) }
    }.sorted { $0.block < $1.block }
    let visitors = BlockScan(file, bitmaps.map(\.block)).run {
      EntryVisitor(map: self, bitmaps: bitmaps, takesImplausible: evenImplausible)
    }
    return visitors.flatMap(\.words).map { (bitmaps[$0.place].index, $0.words) }
  }

  /// Reports bitmaps that can't be read, without comparing their counts. Returns the readable ones
  /// that disagree with the index, ascending.
  package func checkBitmaps(findings: inout Findings) -> [MetadataBlock] {
    let bitmaps = entries.indices.compactMap { index in
      entries[index].map { (index: index, block: UInt32($0.block)) }
    }.sorted { $0.block < $1.block }
    let visitors = BlockScan(file, bitmaps.map(\.block)).run {
      KindVisitor(map: self, bitmaps: bitmaps)
    }
    for visitor in visitors { findings.merge(visitor.findings) }
    return visitors.flatMap(\.implausible).sorted()
  }

  /// The totals of `bytes`, read as bitmap `index`, if they can be trusted: they are the block that
  /// was written there, and agree with the index. A bitmap written by a later or an earlier
  /// transaction than its index describes another state.
  func evidence(_ bytes: RawSpan, ofBitmap index: Int) -> BitmapSummary? {
    isBitmap(bytes, index) ? plausibleSummary(Bitmap(bytes), ofBitmap: index) : nil
  }

  /// Whether `bytes`, read as bitmap `index`, are the block that was written there.
  func isBitmap(_ bytes: RawSpan, _ index: Int) -> Bool {
    guard let entry = entries[index] else { return false }
    return BlockFault(bytes, as: .bitmap, in: MetadataBlock(UInt32(entry.block))) == nil
  }

  /// Whether all bitmaps together, with `allocated` blocks in use, agree with this root's number.
  /// Some tools write one more; an inferred root has 0, which agrees with anything.
  func bears(out allocated: UInt64) -> Bool {
    let said = root.allocatedCount
    return said == 0 || max(said, allocated) - min(said, allocated) <= 1
  }

  fileprivate func plausibleSummary(_ bitmap: Bitmap, ofBitmap index: Int) -> BitmapSummary? {
    guard let entry = entries[index] else { return nil }
    let range = range(ofBitmap: index)
    let summary = BitmapSummary(bitmap, entryCount: range.count)
    guard summary.bears(out: entry, blockCount: range.count) else { return nil }
    // A metadata bitmap counts itself, if it is in its own range.
    guard self.index == .block, range.contains(entry.block) else { return summary }
    let index = Int(entry.block - range.lowerBound)
    let own = Bitmap.count(
      index % Bitmap.entriesPerWord, in: bitmap.word(index / Bitmap.entriesPerWord))
    return own > 0 ? summary : nil
  }

  /// Reads the index and the large counts, and counts the references they hold in `usage`.
  ///
  /// `root.blockCount` is trusted only as far as the device has room for bitmaps.
  package init(
    _ label: StructureLabel, root: SpaceMapRoot, index: Index, in file: BlockFile,
    usage: inout BlockUsage, findings: inout Findings
  ) {
    self.label = label
    self.root = root
    self.index = index
    self.file = file
    let bitmaps = min(root.bitmapCount, usage.blockCount)
    entries = Array(repeating: nil, count: Int(bitmaps))
    switch index {
    case .tree: readIndexTree(&usage, &findings)
    case .block: readIndexBlock(&usage, &findings)
    }
    claimBitmaps(&usage, &findings)
    readLargeCounts(&usage, &findings)
  }

  /// One past the last bitmap in the index tree, whatever the number of blocks in the root.
  package var indexEnd: UInt64 {
    indexLeaves.map { min($0.keys.upperBound, .max - 1) + 1 }.max() ?? 0
  }

  /// A site in this space map.
  func site(
    block: UInt64? = nil, entry: Int? = nil, keys: ClosedRange<UInt64>? = nil
  ) -> Site {
    Site(label, block: block, entry: entry, keys: keys)
  }

  /// The blocks that bitmap `index` counts.
  package func range(ofBitmap index: Int) -> Range<UInt64> {
    let first = UInt64(index) * UInt64(Bitmap.entryCount)
    return first..<min(root.blockCount, first + UInt64(Bitmap.entryCount))
  }

  private mutating func readIndexTree(_ usage: inout BlockUsage, _ findings: inout Findings) {
    let tree = indexTree
    var walk = self.walk(tree, from: root.bitmapRoot, &usage, &findings)
    let visitors = walk.readLeaves(findings: &findings) { IndexVisitor() }
    indexLeaves = visitors.flatMap(\.leaves)
    for (key, entry) in visitors.flatMap(\.entries) {
      if key < UInt64(entries.count) {
        entries[Int(key)] = entry
      } else {
        findings.report(
          .bitmapSuperfluous, at: Site(label.counting(.bitmap), keys: key...key))
      }
    }
  }

  private mutating func readIndexBlock(_ usage: inout BlockUsage, _ findings: inout Findings) {
    guard let block = pointer(root.bitmapRoot, &usage, &findings) else { return }
    let site = site(block: UInt64(block.number))
    var found: [IndexEntry] = []
    do {
      let wanted = min(entries.count, MetadataIndex.entryCount)
      found = try file.withBlock(block) { bytes in
        if let fault = BlockFault(bytes, as: .metadataIndex, in: block) {
          findings.report(fault, expected: .metadataIndex, in: block, at: site)
          return []
        }
        return (0..<wanted).map { IndexEntry(bytes, at: MetadataIndex.offset(of: $0)) }
      }
    } catch {
      findings.report(.blockUnreadable, at: site, found: Evidence(words: error.description))
    }
    for (index, entry) in found.enumerated() { entries[index] = entry }
  }

  /// Counts the references to the bitmaps; entries that lead nowhere are dropped.
  private mutating func claimBitmaps(_ usage: inout BlockUsage, _ findings: inout Findings) {
    for index in entries.indices {
      let range = range(ofBitmap: index)
      guard let entry = entries[index] else {
        findings.report(
          .bitmapMissing, at: site(keys: range.lowerBound...range.upperBound - 1))
        continue
      }
      if pointer(entry.block, &usage, &findings) == nil { entries[index] = nil }
    }
  }

  private mutating func readLargeCounts(_ usage: inout BlockUsage, _ findings: inout Findings) {
    var walk = self.walk(largeCountTree, from: root.refCountRoot, &usage, &findings)
    let visitors = walk.readLeaves(findings: &findings) { LargeCountVisitor() }
    hasAllLargeCounts = walk.isWhole
    largeCountLeaves = visitors.flatMap(\.leaves)
    largeCounts = LargeCounts(visitors.flatMap(\.entries))
    for (block, count) in largeCounts.all where block >= root.blockCount || count < 3 {
      findings.report(
        block >= root.blockCount ? .entryBeyondEnd : .refCountEntryTooSmall,
        at: site(keys: block...block), found: "count \(count)")
    }
  }

  /// The block that a pointer of this space map leads to, claimed and counted; `nil` if it can't be
  /// used.
  private func pointer(
    _ target: UInt64, _ usage: inout BlockUsage, _ findings: inout Findings
  ) -> MetadataBlock? {
    guard let block = usage.follow(target, from: site(), &findings) else { return nil }
    return usage.claim(block, for: name, at: site(block: target), &findings) ? block : nil
  }

  private func walk(
    _ tree: Tree, from root: UInt64, _ usage: inout BlockUsage, _ findings: inout Findings
  ) -> TreeWalk {
    TreeWalk(tree, rootPointers: [(root, 0)], in: file, usage: &usage, findings: &findings)
  }

  var indexTree: Tree {
    Tree(label.part("index", counting: .bitmap), leafValueSize: IndexEntry.Layout.size)
  }

  var largeCountTree: Tree {
    Tree(label.part("reference counts", counting: label.keyUnit), leafValueSize: 4)
  }
}

/// Checks each bitmap's kind of block, and whether it agrees with its index entry.
private struct KindVisitor: BlockVisitor {
  let map: StoredSpaceMap
  let bitmaps: [(index: Int, block: UInt32)]
  var findings = Findings()
  var implausible: [MetadataBlock] = []

  init(map: StoredSpaceMap, bitmaps: [(index: Int, block: UInt32)]) {
    self.map = map
    self.bitmaps = bitmaps
  }

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    let block = MetadataBlock(bitmaps[index].block)
    if let fault = BlockFault(bytes, as: .bitmap, in: block) {
      findings.report(fault, expected: .bitmap, in: block, at: site(index))
    } else if map.plausibleSummary(Bitmap(bytes), ofBitmap: bitmaps[index].index) == nil {
      implausible.append(block)
    }
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {
    findings.report(.blockUnreadable, at: site(index), found: Evidence(words: error.description))
  }

  private func site(_ index: Int) -> Site { map.site(block: UInt64(bitmaps[index].block)) }
}

/// Collects the words of every trustworthy bitmap, by its place in the scan.
private struct EntryVisitor: BlockVisitor {
  let map: StoredSpaceMap
  let bitmaps: [(index: Int, block: UInt32)]
  let takesImplausible: Bool
  var words: [(place: Int, words: [UInt64])] = []

  init(map: StoredSpaceMap, bitmaps: [(index: Int, block: UInt32)], takesImplausible: Bool) {
    self.map = map
    self.bitmaps = bitmaps
    self.takesImplausible = takesImplausible
  }

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    let number = bitmaps[index].index
    guard
      takesImplausible
        ? map.isBitmap(bytes, number) : map.evidence(bytes, ofBitmap: number) != nil
    else { return }
    let bitmap = Bitmap(bytes)
    words.append((index, (0..<Bitmap.wordCount).map { bitmap.word($0) }))
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {}
}

private struct IndexVisitor: LeafVisitor {
  var entries: [(UInt64, IndexEntry)] = []
  var leaves: [(block: MetadataBlock, keys: ClosedRange<UInt64>)] = []

  mutating func visit(_ leaf: BTreeNode, _ reference: NodeReference) {
    if let keys = leaf.keys { leaves.append((reference.block, keys)) }
    for index in 0..<leaf.entryCount {
      entries.append(
        (
          leaf.key(index),
          IndexEntry(
            block: leaf.value(index, IndexEntry.Layout.block),
            freeCount: leaf.value(index, IndexEntry.Layout.freeCount),
            noneFreeBefore: leaf.value(index, IndexEntry.Layout.noneFreeBefore))
        ))
    }
  }
}

private struct LargeCountVisitor: LeafVisitor {
  var entries: [(UInt64, UInt32)] = []
  var leaves: [(block: MetadataBlock, keys: ClosedRange<UInt64>)] = []

  mutating func visit(_ leaf: BTreeNode, _ reference: NodeReference) {
    if let keys = leaf.keys { leaves.append((reference.block, keys)) }
    for index in 0..<leaf.entryCount {
      entries.append((leaf.key(index), leaf.value(index, Field<UInt32>(at: 0))))
    }
  }
}

/// The counts of 3 and more, ascending by block.
package struct LargeCounts: Sendable {
  private var blocks: [UInt64] = []
  private var counts: [UInt32] = []

  package init() {}

  init(_ entries: [(UInt64, UInt32)]) {
    let sorted = entries.sorted { $0.0 < $1.0 }
    blocks = sorted.map(\.0)
    counts = sorted.map(\.1)
  }

  package var all: some Sequence<(UInt64, UInt32)> { zip(blocks, counts) }

  package subscript(block: UInt64) -> UInt32? {
    let index = blocks.firstIndex(from: block)
    return index < blocks.count && blocks[index] == block ? counts[index] : nil
  }

  /// The blocks in `range` that have an entry.
  package func blocks(in range: Range<UInt64>) -> ArraySlice<UInt64> {
    blocks[
      blocks.firstIndex(from: range.lowerBound)..<blocks.firstIndex(from: range.upperBound)]
  }
}
