internal import CSystem

/// Where the runs of a leaf end. In a run, each entry continues the one before.
@usableFromInline
package struct RunEnds: Sendable {
  /// One bit per entry, the first in the lowest: set where a run ends.
  @usableFromInline let words: InlineArray<4, UInt64>
  /// The word that `next` has reached, and its bits not taken yet.
  @usableFromInline var word = 0
  @usableFromInline var rest: UInt64

  /// Finds the runs in at most a leaf's worth of values: within a run, each value goes up by `step`
  /// in the bits that matter, and each key by one if there are `keys`.
  package init(
    of values: Span<UInt64>, step: UInt64, mattering bitsThatMatter: UInt64 = .max,
    keys: Span<UInt64>? = nil
  ) {
    // The C function relies on these lengths.
    precondition(values.count <= 256)
    let count = values.count
    var words = InlineArray<4, UInt64>(repeating: 0)
    var bits = words.mutableSpan
    unsafe bits.withUnsafeMutableBufferPointer { bits in
      unsafe values.withUnsafeBufferPointer { values in
        guard let keys else {
          return unsafe dmm_run_ends(
            nil, values.baseAddress, count, step, bitsThatMatter, bits.baseAddress)
        }
        precondition(keys.count == count)
        unsafe keys.withUnsafeBufferPointer { keys in
          unsafe dmm_run_ends(
            keys.baseAddress, values.baseAddress, count, step, bitsThatMatter, bits.baseAddress)
        }
      }
    }
    self.words = words
    rest = words[0]
  }

  /// How many runs there are.
  package var count: Int { words.indices.reduce(0) { $0 + words[$1].nonzeroBitCount } }

  /// Takes the next run, which must exist: the index of its last entry.
  @inlinable package mutating func next() -> Int {
    while rest == 0 {
      word += 1
      rest = words[word]
    }
    let bit = rest.trailingZeroBitCount
    rest &= rest &- 1
    return 64 &* word &+ bit
  }

  /// The run that an entry is in.
  @inlinable package func run(with index: Int) -> Range<Int> {
    let (word, bit) = (index &>> 6, UInt64(truncatingIfNeeded: index & 63))
    var end = word
    var bits = words[word] & (UInt64.max &<< bit)
    while bits == 0 {
      end += 1
      bits = words[end]
    }
    let last = 64 &* end &+ bits.trailingZeroBitCount
    var start = word
    bits = words[word] & ~(UInt64.max &<< bit)
    while bits == 0, start > 0 {
      start -= 1
      bits = words[start]
    }
    return (bits == 0 ? 0 : 64 &* start &+ 64 &- bits.leadingZeroBitCount)..<last + 1
  }
}

extension Span<UInt64> {
  /// Whether each of these keys, as stored on disk, is above the one before it.
  var ascend: Bool {
    unsafe withUnsafeBufferPointer { unsafe dmm_ascend($0.baseAddress, $0.count) }
  }
}
