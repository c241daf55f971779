extension StoredSpaceMap {
  /// The blocks below `end` that are in use neither in this map nor in `counted`. Blocks whose
  /// bitmap can't be read count as used; so do those past the map's end, unless `isFreeBeyondEnd`,
  /// for a device that has grown.
  ///
  /// Bitmaps that disagree with the index are used, too, as `counted` protects all blocks in use.
  package func unused(
    _ counted: RefCounts, below end: UInt64, isFreeBeyondEnd: Bool = false
  ) -> Bitset {
    var unused = Bitset(bitCount: Int(end))
    for (index, words) in readWords(evenImplausible: true) {
      let first = UInt64(index * Bitmap.entryCount)
      for (place, stored) in words.enumerated() {
        let block = first + UInt64(place * Bitmap.entriesPerWord)
        guard block < min(end, root.blockCount) else { break }
        let both = stored | counted.bitmapWord(from: block)
        var free = ~Bitmap.used(both) & UInt64(UInt32.max)
        let left = min(end, root.blockCount) - block
        if left < UInt64(Bitmap.entriesPerWord) { free &= 1 << left - 1 }
        unused.set(free, from: block)
      }
    }
    if isFreeBeyondEnd, root.blockCount < end {
      for block in root.blockCount..<end where block >= counted.count || counted[block] == 0 {
        unused[block] = true
      }
    }
    return unused
  }
}

extension Bitmap {
  /// A bit for each of the 32 entries of a word: whether its count is above 0.
  static func used(_ word: UInt64) -> UInt64 {
    var bits = (word | word >> 1) & lowBits
    // Closes the gaps between bits, in groups of doubling size.
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333
    bits = (bits | bits >> 2) & 0x0F0F_0F0F_0F0F_0F0F
    bits = (bits | bits >> 4) & 0x00FF_00FF_00FF_00FF
    bits = (bits | bits >> 8) & 0x0000_FFFF_0000_FFFF
    return (bits | bits >> 16) & 0x0000_0000_FFFF_FFFF
  }
}

extension RefCounts {
  /// The blocks with a count above 0.
  package var used: Bitset {
    var used = Bitset(bitCount: Int(count))
    for block in stride(from: 0, to: count, by: Bitmap.entriesPerWord) {
      let word = bitmapWord(from: block)
      if word != 0 { used.set(Bitmap.used(word), from: block) }
    }
    return used
  }
}
