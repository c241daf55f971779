internal import CSystem

/// What one pass over all values of a leaf finds: which refer to given blocks, and the highest
/// block.
@usableFromInline
package struct ValueSurvey: Sendable {
  /// One bit per entry, the first in the lowest: whether it refers to one of the blocks.
  @usableFromInline let words: InlineArray<4, UInt64>
  /// The highest block that any value refers to.
  package let highestBlock: UInt64
  /// The highest number in the low bits beside the block numbers.
  package let highestRest: UInt64

  /// Looks at values, no more than fit in a leaf. A block's number is above the lowest `bits` bits
  /// of its value; the end of `blocks` must fit there too.
  package init(of values: Span<UInt64>, above bits: UInt64, for blocks: Range<UInt64>) {
    // The C function relies on the length.
    precondition(values.count <= 256 && blocks.upperBound <= UInt64.max >> bits)
    var survey = dmm_survey()
    unsafe values.withUnsafeBufferPointer { values in
      unsafe dmm_survey(
        values.baseAddress, values.count, blocks.lowerBound << bits,
        (blocks.upperBound - blocks.lowerBound) << bits, (1 << bits) - 1, &survey)
    }
    words = [survey.hits.0, survey.hits.1, survey.hits.2, survey.hits.3]
    highestBlock = survey.highest >> bits
    highestRest = survey.highest_rest
  }

  /// The first entry from `index` on that refers to one of the blocks.
  @inlinable package func firstHit(from index: Int) -> Int? {
    var word = index &>> 6
    guard word < 4 else { return nil }
    var bits = words[word] & (UInt64.max &<< UInt64(truncatingIfNeeded: index & 63))
    while bits == 0 {
      word += 1
      guard word < 4 else { return nil }
      bits = words[word]
    }
    return 64 &* word &+ bits.trailingZeroBitCount
  }
}
