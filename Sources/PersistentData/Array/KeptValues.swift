internal import CSystem

extension [UInt64] {
  /// Keeps the values whose bit in `kept` is set, with no bits but those of `mask`, and with
  /// `flags` set; the others become 0. `first`: the bit of the first value.
  package mutating func keep(_ kept: Bitset, from first: UInt64, mask: UInt64, flags: UInt64) {
    unsafe withUnsafeMutableBufferPointer { values in
      for start in stride(from: 0, to: values.count, by: UInt64.bitWidth) {
        let some = unsafe values[start..<Swift.min(start + UInt64.bitWidth, values.count)]
        let word = kept.bits(from: first + UInt64(start))
        unsafe dmm_keep(
          UnsafeMutableBufferPointer(rebasing: some).baseAddress, some.count, word, mask, flags)
      }
    }
  }
}

extension [UInt32] {
  /// Keeps the values whose bit in `kept` is set; the others become 0. `first`: the bit of the
  /// first value.
  package mutating func keep(_ kept: Bitset, from first: UInt64) {
    unsafe withUnsafeMutableBufferPointer { values in
      for start in stride(from: 0, to: values.count, by: UInt64.bitWidth) {
        let some = unsafe values[start..<Swift.min(start + UInt64.bitWidth, values.count)]
        let word = kept.bits(from: first + UInt64(start))
        unsafe dmm_keep_short(
          UnsafeMutableBufferPointer(rebasing: some).baseAddress, some.count, word)
      }
    }
  }
}
