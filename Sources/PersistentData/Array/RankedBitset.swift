/// A set of bits with an index: from a bit to its rank among those that are set, and back.
///
/// Takes an eighth of a byte for each bit, set or not, and a hundredth for the index.
package struct RankedBitset: Sendable {
  /// Bits per entry of the index, a multiple of 64.
  private static let stride: UInt64 = 1024

  private let bits: Bitset
  /// Bits set before each stretch of `stride` bits.
  private var before: [UInt64] = []
  /// Bits that are set.
  package let count: UInt64

  package init(_ bits: Bitset) {
    self.bits = bits
    var sum: UInt64 = 0
    for start in Swift.stride(from: 0, to: bits.bitCount, by: Int(RankedBitset.stride)) {
      before.append(sum)
      for first in Swift.stride(from: start, to: start + RankedBitset.stride, by: 64) {
        sum += UInt64(bits.word(from: first).nonzeroBitCount)
      }
    }
    count = sum
  }

  package func contains(_ bit: UInt64) -> Bool { bits[bit] }

  /// How many bits below `bit` are set.
  package func rank(of bit: UInt64) -> UInt64 {
    guard bit < bits.bitCount else { return count }
    let stretch = bit / RankedBitset.stride
    var rank = before[Int(stretch)]
    for first in Swift.stride(from: stretch * RankedBitset.stride, to: bit, by: 64) {
      let word = bits.word(from: first)
      rank += UInt64((bit - first >= 64 ? word : word & (1 << (bit - first) - 1)).nonzeroBitCount)
    }
    return rank
  }

  /// The set bit that has `rank` others below it; `rank` is below `count`.
  package func bit(ranked rank: UInt64) -> UInt64 {
    precondition(rank < count)
    // The last stretch with no more than `rank` bits before it.
    var (low, high) = (0, before.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if before[middle] <= rank { low = middle } else { high = middle }
    }
    var left = rank - before[low]
    var first = UInt64(low) * RankedBitset.stride
    while true {
      var word = bits.word(from: first)
      let inWord = UInt64(word.nonzeroBitCount)
      if left < inWord {
        for _ in 0..<left { word &= word - 1 }
        return first + UInt64(word.trailingZeroBitCount)
      }
      left -= inWord
      first += 64
    }
  }

  /// The ranges of bits that are set, ascending.
  package func forEachRange<Failure: Error>(
    _ body: (Range<UInt64>) throws(Failure) -> Void
  ) throws(Failure) {
    try bits.forEachRange(body)
  }
}
