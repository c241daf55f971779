internal import CSystem

/// Questions about all values of four bytes at once.
extension ArrayBlock {
  /// The highest of the first `count` values; 0 if there are none.
  package func highest(_ count: Int) -> UInt32 {
    let values: Span<UInt32> = stored(count)
    return unsafe values.withUnsafeBufferPointer { values in
      unsafe dmm_highest(values.baseAddress, values.count)
    }
  }

  /// A bit for each of the first `count` values, 64 per word: whether it is `least` or more.
  package func isAtLeast(_ least: UInt32, _ count: Int) -> [UInt64] {
    let values: Span<UInt32> = stored(count)
    var words = [UInt64](repeating: 0, count: (values.count + 63) / 64)
    unsafe values.withUnsafeBufferPointer { values in
      unsafe words.withUnsafeMutableBufferPointer { words in
        unsafe dmm_at_least(values.baseAddress, values.count, least, words.baseAddress)
      }
    }
    return words
  }
}
