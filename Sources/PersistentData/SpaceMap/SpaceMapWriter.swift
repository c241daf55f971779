/// Writes space maps with exactly the counts that were counted.
package struct SpaceMapWriter {
  private let writer: BlockWriter

  package init(_ writer: BlockWriter) { self.writer = writer }

  /// Writes the data space map. `blockCount` may be larger than what was counted.
  package func writeData(
    _ counts: RefCounts, blockCount: UInt64
  ) throws(IOError) -> SpaceMapRoot {
    var index = TreeWriter<IndexEntry>(writer)
    var allocated: UInt64 = 0
    for bitmap in 0..<Bitmap.count(for: blockCount) {
      let entry = try appendBitmap(bitmap, counts, blockCount, &allocated)
      writer.references.increment(entry.block)
      try index.push(bitmap, entry)
    }
    let root = try index.finish()
    let large = try writeLargeCounts(counts)
    for block in [root, large] { writer.references.increment(UInt64(block.number)) }
    return SpaceMapRoot(
      blockCount: blockCount, allocatedCount: allocated, bitmapRoot: UInt64(root.number),
      refCountRoot: UInt64(large.number))
  }

  /// Writes the metadata space map, the last thing before the superblock: it counts its own blocks,
  /// so their places are fixed before their contents.
  package func writeMetadata() throws(IOError) -> SpaceMapRoot {
    let counts = writer.references
    counts.increment(0)
    let large = try writeLargeCounts(counts)
    counts.increment(UInt64(large.number))
    let bitmapCount = Bitmap.count(for: writer.blockCount)
    for index in 0...bitmapCount { counts.increment(writer.upcoming(after: index)) }
    var entries: [IndexEntry] = []
    var allocated: UInt64 = 0
    for bitmap in 0..<bitmapCount {
      entries.append(try appendBitmap(bitmap, counts, writer.blockCount, &allocated))
    }
    let index = try writer.append(.metadataIndex) { block, bytes in
      bytes[MetadataIndex.Layout.block] = UInt64(block.number)
      for (place, entry) in entries.enumerated() {
        entry.encode(into: &bytes, at: MetadataIndex.offset(of: place))
      }
    }
    return SpaceMapRoot(
      blockCount: writer.blockCount, allocatedCount: allocated,
      bitmapRoot: UInt64(index.number), refCountRoot: UInt64(large.number))
  }

  private func appendBitmap(
    _ bitmap: UInt64, _ counts: RefCounts, _ blockCount: UInt64, _ allocated: inout UInt64
  ) throws(IOError) -> IndexEntry {
    let first = bitmap * UInt64(Bitmap.entryCount)
    let slots = Int(min(UInt64(Bitmap.entryCount), blockCount - first))
    var summary = BitmapSummary.empty
    let block = try writer.append(.bitmap) { block, bytes in
      bytes[Bitmap.Layout.block] = UInt64(block.number)
      for (index, word) in counts.bitmapWords(from: first, Bitmap.wordCount).enumerated() {
        bytes[Bitmap.word(index)] = word
      }
      summary = BitmapSummary(Bitmap(bytes.bytes), entryCount: slots)
    }
    allocated += UInt64(summary.usedCount)
    return IndexEntry(
      block: UInt64(block.number), freeCount: summary.freeCount(slots: Bitmap.entryCount),
      noneFreeBefore: UInt32(summary.firstFree ?? slots))
  }

  /// Writes the tree of counts of 3 and more.
  private func writeLargeCounts(_ counts: RefCounts) throws(IOError) -> MetadataBlock {
    var tree = TreeWriter<UInt32>(writer)
    var failure: IOError?
    counts.forEachLargeCount { block, count in
      do throws(IOError) {
        try tree.push(block, UInt32(clamping: count))
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    return try tree.finish()
  }
}
