/// What can be mended in place in a space map.
///
/// Counts that are too high are lowered to what was counted, and the totals are made to agree.
/// Nothing else is touched; a count that is too low is an error and never mended in place.
package struct SpaceMapMend: Sendable {
  private let map: StoredSpaceMap
  private let counted: RefCounts
  private let comparison: SpaceMapComparison

  /// Compares `map` with what was counted. `missedByFormat`: as for `SpaceMapComparison`.
  package init(
    _ map: StoredSpaceMap, _ counted: RefCounts, missedByFormat: UInt32 = 0,
    findings: inout Findings
  ) {
    self.map = map
    self.counted = counted
    comparison = SpaceMapComparison(
      map, with: counted, missedByFormat: missedByFormat, findings: &findings)
  }

  package var name: String { map.name }
  package var file: BlockFile { map.file }

  /// Rewrites the bitmaps and index entries concerned, each block once, and returns the root that
  /// the superblock should have afterwards. Call only after a check without errors.
  package func apply(through editor: inout some BlockEditor) throws(IOError) -> SpaceMapRoot {
    var entries = map.entries
    for (index, correction) in comparison.corrections.sorted(by: { $0.key < $1.key }) {
      guard var entry = entries[index] else { continue }
      let block = MetadataBlock(UInt32(entry.block))
      let summary =
        correction.hasHighCounts
        ? try lowerCounts(ofBitmap: index, in: block, &editor)
        : try map.file.withBlock(block) { summed(index, $0) }
      entry.freeCount = summary.freeCount(slots: Bitmap.entryCount)
      entry.noneFreeBefore = min(
        entry.noneFreeBefore, UInt32(summary.firstFree ?? map.range(ofBitmap: index).count))
      entries[index] = entry
    }
    try lowerLargeCounts(&editor)
    try writeIndex(entries, &editor)
    var root = map.root
    root.allocatedCount = counted.countedBlocks
    return root
  }

  /// Returns the totals of the bitmap afterwards.
  private func lowerCounts(
    ofBitmap index: Int, in block: MetadataBlock, _ editor: inout some BlockEditor
  ) throws(IOError) -> BitmapSummary {
    let first = map.range(ofBitmap: index).lowerBound
    return try editor.edit(block, sealedAs: .bitmap) { bytes in
      for (index, word) in counted.bitmapWords(from: first, Bitmap.wordCount).enumerated() {
        bytes[Bitmap.word(index)] = word
      }
      return summed(index, bytes.bytes)
    }
  }

  private func summed(_ index: Int, _ bytes: RawSpan) -> BitmapSummary {
    BitmapSummary(Bitmap(bytes), entryCount: map.range(ofBitmap: index).count)
  }

  /// Sets large counts that are too high to the true count; if that is below 3, the entry is
  /// removed.
  private func lowerLargeCounts(_ editor: inout some BlockEditor) throws(IOError) {
    let wrong = map.largeCounts.all.map(\.0).filter { block in
      block < counted.count && counted[block] < UInt64(map.largeCounts[block] ?? 0)
    }
    for leaf in map.largeCountLeaves where wrong.contains(where: leaf.keys.contains) {
      let isRoot = UInt64(leaf.block.number) == map.root.refCountRoot
      try editor.edit(leaf.block, sealedAs: .btreeNode) {
        lowerCounts(inLeaf: &$0, isRoot: isRoot)
      }
    }
  }

  private func lowerCounts(inLeaf bytes: inout MutableRawSpan, isRoot: Bool) {
    let leaf = LeafLayout(bytes.bytes)
    var kept = 0
    for index in 0..<leaf.entryCount {
      let block: UInt64 = bytes[leaf.key(index)]
      let stored: UInt32 = bytes[leaf.value(index)]
      let count = block < counted.count ? counted[block] : 0
      // A leaf that isn't the root must keep an entry; a superfluous one does no harm.
      let isLastHope = !isRoot && kept == 0 && index + 1 == leaf.entryCount
      if count < 3, !isLastHope { continue }
      bytes[leaf.key(kept)] = block
      bytes[leaf.value(kept)] = min(stored, UInt32(clamping: count))
      kept += 1
    }
    bytes[BTreeNode.Layout.entryCount] = UInt32(kept)
  }

  private func writeIndex(
    _ entries: [IndexEntry?], _ editor: inout some BlockEditor
  ) throws(IOError) {
    guard entries != map.entries else { return }
    switch map.index {
    case .block:
      let block = MetadataBlock(UInt32(map.root.bitmapRoot))
      try editor.edit(block, sealedAs: .metadataIndex) { bytes in
        for (index, entry) in entries.enumerated() {
          entry?.encode(into: &bytes, at: MetadataIndex.offset(of: index))
        }
      }
    case .tree:
      let changed = entries.indices.filter { entries[$0] != map.entries[$0] }.map(UInt64.init)
      for leaf in map.indexLeaves where changed.contains(where: leaf.keys.contains) {
        try editor.edit(leaf.block, sealedAs: .btreeNode) { write(entries, into: &$0) }
      }
    }
  }

  private func write(_ entries: [IndexEntry?], into bytes: inout MutableRawSpan) {
    let leaf = LeafLayout(bytes.bytes)
    for index in 0..<leaf.entryCount {
      let key: UInt64 = bytes[leaf.key(index)]
      guard key < UInt64(entries.count) else { continue }
      entries[Int(key)]?.encode(into: &bytes, at: leaf.valueOffset(index))
    }
  }
}
