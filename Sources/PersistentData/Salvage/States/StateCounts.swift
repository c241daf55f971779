/// The ref counts that one index block of a metadata space map leads to.
package struct StateCounts {
  /// By block; 3 means 3 or more.
  package private(set) var counts: [UInt8]
  /// The blocks of the bitmaps, in order, up to the first entry that doesn't lead to a bitmap.
  package private(set) var bitmaps: [MetadataBlock] = []

  /// `isBitmap`: whether a block is a bitmap, of whatever state.
  package init(
    below index: MetadataBlock, in file: BlockFile, blockCount: UInt64,
    isBitmap: (MetadataBlock) -> Bool
  ) {
    counts = [UInt8](repeating: 0, count: Int(blockCount))
    for number in 0..<Int(Bitmap.count(for: blockCount)) {
      let target = try? file.withBlock(index) {
        IndexEntry($0, at: MetadataIndex.offset(of: number)).block
      }
      guard let target, let block = MetadataBlock(pointer: target, count: blockCount),
        isBitmap(block)
      else { break }
      bitmaps.append(block)
      read(block, from: number * Bitmap.entryCount, in: file)
    }
  }

  /// Reads a bitmap whose first count is that of block `first`.
  private mutating func read(_ block: MetadataBlock, from first: Int, in file: BlockFile) {
    try? file.withBlock(block) { bytes in
      let bitmap = Bitmap(bytes)
      for entry in 0..<min(Bitmap.entryCount, counts.count - first) {
        let word = bitmap.word(entry / Bitmap.entriesPerWord)
        counts[first + entry] = UInt8(Bitmap.count(entry % Bitmap.entriesPerWord, in: word))
      }
    }
  }
}
