/// The bits of a stored bitset in memory: an eighth of a byte for each.
///
/// Bits whose array block can't be read are 0 here; the array's `lost` says which.
///
/// Source: Linux, drivers/md/persistent-data/dm-bitset.c.
@usableFromInline
package struct Bitset: Sendable {
  @usableFromInline package let bitCount: UInt64
  @usableFromInline var words: [UInt64]

  /// `bitCount` bits, all 0.
  package init(bitCount: Int) {
    self.bitCount = UInt64(bitCount)
    words = Array(repeating: 0, count: (bitCount + 63) / 64)
  }

  /// Reads a bitset, block by block in location order; its size is bounded by the device's.
  package init(_ array: inout StoredArray, findings: inout Findings) {
    let capacity = UInt64(array.blocks.count) * array.shape.entriesPerBlock
    self.init(bitCount: Int(min(array.entryCount, capacity)))
    let visitors = array.readBlocks(findings: &findings) { WordVisitor() }
    let perBlock = array.shape.valuesPerBlock
    for (place, block) in visitors.flatMap(\.blocks) {
      for (index, word) in block.enumerated() where place * perBlock + index < words.count {
        words[place * perBlock + index] = word
      }
    }
    // Bits past the last mean nothing.
    clearBeyondEnd()
  }

  /// A bit beyond the end is 0.
  @inlinable package subscript(bit: UInt64) -> Bool {
    get {
      guard bit < bitCount else { return false }
      return words[Int(bit / 64)] >> (bit % 64) & 1 == 1
    }
    set {
      guard bit < bitCount else { return }
      let mask: UInt64 = 1 << (bit % 64)
      if newValue { words[Int(bit / 64)] |= mask } else { words[Int(bit / 64)] &= ~mask }
    }
  }

  /// Sets those of the 64 bits from `first` on that are set in `word`; `first` is its lowest bit.
  package mutating func set(_ word: UInt64, from first: UInt64) {
    let shift = first % 64
    let index = Int(first / 64)
    if index < words.count { words[index] |= word << shift }
    if shift > 0, index + 1 < words.count { words[index + 1] |= word >> (64 - shift) }
  }

  /// The same for the bits of several words.
  package mutating func set(_ words: Span<UInt64>, from first: UInt64) {
    for index in words.indices { set(words[index], from: first + UInt64(index * 64)) }
  }

  /// Sets the bits of a range, ignoring any past the end.
  package mutating func set(_ range: ClosedRange<UInt64>) {
    guard bitCount > 0, range.lowerBound < bitCount else { return }
    for bit in range.lowerBound...min(range.upperBound, bitCount - 1) { self[bit] = true }
  }

  /// Sets the bits that are set in `other`, ignoring any past the end.
  package mutating func formUnion(_ other: Bitset) {
    for index in words.indices where index < other.words.count {
      words[index] |= other.words[index]
    }
    clearBeyondEnd()
  }

  private mutating func clearBeyondEnd() {
    guard let last = words.indices.last, bitCount % 64 != 0 else { return }
    words[last] &= (1 << (bitCount % 64)) - 1
  }

  /// A copy with the bits outside `range` cleared.
  package func restricted(to range: Range<UInt64>) -> Bitset {
    var rest = self
    for index in words.indices {
      let first = UInt64(index) * 64
      if first >= range.upperBound || first + 64 <= range.lowerBound {
        rest.words[index] = 0
      } else {
        if first < range.lowerBound { rest.words[index] &= .max << (range.lowerBound - first) }
        if range.upperBound - first < 64 {
          rest.words[index] &= 1 << (range.upperBound - first) - 1
        }
      }
    }
    return rest
  }

  /// All bits that are not set.
  package var inverted: Bitset {
    var inverted = self
    for index in words.indices { inverted.words[index] = ~words[index] }
    inverted.clearBeyondEnd()
    return inverted
  }

  /// A copy without the bits that are set in `other`.
  package func without(_ other: Bitset) -> Bitset {
    var rest = self
    for index in words.indices where index < other.words.count {
      rest.words[index] &= ~other.words[index]
    }
    return rest
  }

  /// The bits that are also set in `other`.
  package func intersection(_ other: Bitset) -> Bitset {
    var common = self
    for index in words.indices {
      common.words[index] &= index < other.words.count ? other.words[index] : 0
    }
    return common
  }

  /// The bits that lie in any of some ranges.
  package func intersection(_ ranges: [ClosedRange<UInt64>]) -> Bitset {
    if ranges.isEmpty { return Bitset(bitCount: 0) }
    var common = Bitset(bitCount: Int(bitCount))
    for range in ranges { common.set(range) }
    return intersection(common)
  }

  /// The ranges of bits that are set, ascending, as few as possible.
  package var ranges: [ClosedRange<UInt64>] {
    var ranges: [ClosedRange<UInt64>] = []
    forEachRange { ranges.append($0.lowerBound...$0.upperBound - 1) }
    return ranges
  }

  /// The 64 bits from `first` on, a multiple of 64; beyond the end they are 0.
  package func word(from first: UInt64) -> UInt64 {
    let index = Int(first / 64)
    return index < words.count ? words[index] : 0
  }

  /// The 64 bits from `first` on, wherever that is; beyond the end they are 0.
  @inlinable package func bits(from first: UInt64) -> UInt64 {
    let (index, shift) = (Int(first / 64), first % 64)
    guard index < words.count else { return 0 }
    let low = words[index] >> shift
    return shift == 0 || index + 1 == words.count ? low : low | words[index + 1] << (64 - shift)
  }

  /// Whether any bit of a range is set.
  package func hasAny(in range: Range<UInt64>) -> Bool { range.contains { self[$0] } }

  /// Bits that are set.
  package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Goes through the ranges of bits that are set, ascending, as few as possible.
  package func forEachRange<Failure: Error>(
    _ body: (Range<UInt64>) throws(Failure) -> Void
  ) throws(Failure) {
    var start: UInt64?
    for index in words.indices {
      let first = UInt64(index) * 64
      var bit: UInt64 = 0
      while bit < 64 {
        // From one end of a range to the next.
        let ends = (start == nil ? words[index] : ~words[index]) >> bit
        if ends == 0 { break }
        bit += UInt64(ends.trailingZeroBitCount)
        if let open = start {
          try body(open..<first + bit)
          start = nil
        } else {
          start = first + bit
        }
      }
    }
    if let open = start { try body(open..<bitCount) }
  }
}

private struct WordVisitor: ArrayVisitor {
  var blocks: [(place: Int, words: [UInt64])] = []

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    var words: [UInt64] = []
    words.append(littleEndian: block.stored(wanted))
    blocks.append((place, words))
  }
}
