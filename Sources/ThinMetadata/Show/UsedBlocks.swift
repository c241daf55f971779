internal import PersistentData

/// Which blocks are in use in the two space maps, as stored.
struct UsedBlocks {
  /// Words of the data bitmaps that can be read, by the first block that they count.
  private let bitmaps: [(first: UInt64, words: [UInt64])]
  /// Data blocks whose bitmap can't be read, or is impossible.
  let unreadable: [Range<UInt64>]
  /// By metadata block; `nil` where its bitmap can't be read.
  let metadataCounts: [UInt32?]
  private let dataBlockCount: UInt64

  /// Claims the blocks of the space maps in the reader's usage.
  init(_ reader: inout PoolReader) {
    var findings = Findings()
    let data = StoredSpaceMap(
      PoolReader.Structure.dataSpaceMap, root: reader.superblock.dataSpaceMap, index: .tree,
      in: reader.file, usage: &reader.usage, findings: &findings)
    let metadata = StoredSpaceMap(
      PoolReader.Structure.metadataSpaceMap, root: reader.superblock.metadataSpaceMap,
      index: .block, in: reader.file, usage: &reader.usage, findings: &findings)
    let count = reader.limits.dataBlockCount
    dataBlockCount = count
    let read = data.readWords()
    bitmaps = read.map { (data.range(ofBitmap: $0.index).lowerBound, $0.words) }
    let known = Set(read.map(\.index))
    unreadable = data.entries.indices.compactMap { index in
      let range = data.range(ofBitmap: index).clamped(to: 0..<count)
      return known.contains(index) || range.isEmpty ? nil : range
    }
    metadataCounts = metadata.readCounts()
  }

  /// Gives all data blocks in use to `body`, ascending within a bitmap.
  func forEachUsed(_ body: (UInt64) -> Void) {
    for bitmap in bitmaps {
      for (index, word) in bitmap.words.enumerated() {
        var used = (word | word >> 1) & Bitmap.lowBits
        while used != 0 {
          let entry = index * Bitmap.entriesPerWord + used.trailingZeroBitCount / 2
          let block = bitmap.first + UInt64(entry)
          if block < dataBlockCount { body(block) }
          used &= used - 1
        }
      }
    }
  }
}
