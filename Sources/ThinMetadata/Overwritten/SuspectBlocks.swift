internal import PersistentData

/// Data blocks that may have been allocated again: those with more than one mapping, and those that
/// are mapped but free in the data space map. Each has a place, from 0 on.
///
/// One part of the data device at a time, so that memory stays within bounds however large it is:
/// 12 bytes for 32 blocks, whatever is in them.
struct SuspectBlocks: Sendable {
  /// The most words of a part, and the number of suspect blocks after which no word is added.
  private static let maxWords = 1 << 21
  private static let maxBlocks = 1 << 22
  private static let perWord = UInt64(Bitmap.entriesPerWord)

  /// The data block that the first word starts with; a multiple of 32.
  private let begin: UInt64
  /// A bit for each of 32 blocks: the even bits, as the two-bit entries of a bitmap begin there.
  private var words: [UInt64] = []
  /// How many blocks stand before each word.
  private var places: [UInt32] = []
  /// How many blocks there are.
  private(set) var count = 0
  /// Where the next part begins.
  var end: UInt64 { begin + UInt64(words.count) * SuspectBlocks.perWord }
  /// The data blocks of this part, suspect or not.
  var range: Range<UInt64> { begin..<end }

  /// The next part, from data block `start` on; `nil` when nothing is mapped from there on.
  ///
  /// `free`: what is mapped and free, ascending, none overlapping.
  init?(_ counts: RefCounts, _ free: [ClosedRange<UInt64>], from start: UInt64) {
    guard let first = counts.firstCounted(from: start) else { return nil }
    begin = first - first % SuspectBlocks.perWord
    var nextFree = free.firstIndex(endingFrom: begin)
    var block = begin
    while words.count < SuspectBlocks.maxWords, count < SuspectBlocks.maxBlocks {
      // The high bit of a two-bit entry is set for 2 and more.
      var word = counts.bitmapWord(from: block) & Bitmap.lowBits
      let next = block + SuspectBlocks.perWord
      while nextFree < free.count, free[nextFree].lowerBound < next {
        word |= SuspectBlocks.bits(of: free[nextFree], in: block..<next)
        if free[nextFree].upperBound >= next { break }
        nextFree += 1
      }
      places.append(UInt32(count))
      words.append(word)
      count += word.nonzeroBitCount
      guard let following = counts.firstCounted(from: next) else { break }
      let gap = Int((following - next) / SuspectBlocks.perWord)
      guard gap < SuspectBlocks.maxWords - words.count else { break }
      words.append(contentsOf: repeatElement(0, count: gap))
      places.append(contentsOf: repeatElement(UInt32(count), count: gap))
      block = end
    }
  }

  /// Gives those of `blocks` that are suspect, with their places.
  func forEach(in blocks: Range<UInt64>, _ body: (UInt64, Int) -> Void) {
    guard blocks.lowerBound < end, blocks.upperBound > begin else { return }
    let blocks = blocks.clamped(to: begin..<end)
    var first = blocks.lowerBound - blocks.lowerBound % SuspectBlocks.perWord
    while first < blocks.upperBound {
      let index = Int((first - begin) / SuspectBlocks.perWord)
      let all = words[index]
      if all != 0 {
        let range = first..<first + SuspectBlocks.perWord
        let wanted = blocks.clamped(to: range)
        var rest =
          all & SuspectBlocks.bits(of: wanted.lowerBound...wanted.upperBound - 1, in: range)
        while rest != 0 {
          let bit = rest.trailingZeroBitCount
          let place = Int(places[index]) + (all & (1 << UInt64(bit) - 1)).nonzeroBitCount
          body(first + UInt64(bit / 2), place)
          rest &= rest - 1
        }
      }
      first += SuspectBlocks.perWord
    }
  }

  /// The bits of `blocks` in the word that stands for `range`.
  private static func bits(of blocks: ClosedRange<UInt64>, in range: Range<UInt64>) -> UInt64 {
    let first = max(blocks.lowerBound, range.lowerBound) - range.lowerBound
    let last = min(blocks.upperBound, range.upperBound - 1) - range.lowerBound
    return (UInt64.max << (2 * first)) & (UInt64.max >> (62 - 2 * last)) & Bitmap.lowBits
  }
}

extension [ClosedRange<UInt64>] {
  /// The first of these, which ascend, that ends at `key` or later.
  func firstIndex(endingFrom key: UInt64) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].upperBound < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether `key` is in one of these, which ascend.
  func hasRange(with key: UInt64) -> Bool {
    let index = firstIndex(endingFrom: key)
    return index < count && self[index].lowerBound <= key
  }
}
