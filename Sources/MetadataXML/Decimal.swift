// The only number parser for XML: 1 to 20 decimal digits that make a number below 2^64. Leading
// zeros are accepted; signs, spaces and anything else are not.

/// The number that `bytes` consist of.
func decimal(_ bytes: Span<UInt8>) -> UInt64? {
  var index = 0
  let number = scanDecimal(bytes, at: &index)
  return index == bytes.count ? number : nil
}

/// Reads all the digits from `index` on, and moves `index` past them.
///
/// Returns `nil` if there are none or too many, or the number is too large; `index` is then
/// meaningless.
@inline(__always) func scanDecimal(_ bytes: Span<UInt8>, at index: inout Int) -> UInt64? {
  guard bytes.count - index >= 8 else { return scanLongDecimal(bytes, at: &index, 0, count: 0) }
  // Eight bytes at once: how many of them are digits changes from line to line, and a loop over
  // them would mispredict its end each time. `values` has a byte above 9 wherever there is no
  // digit.
  let values = bytes.word(at: index) ^ 0x3030_3030_3030_3030
  let others = ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080
  let count = others.trailingZeroBitCount / 8
  if count == 0 { return nil }
  index += count
  // The digits move to the high end, with zeros in front. Then they are joined into pairs, and the
  // pairs into one number: the first pair times 10^6, and so on.
  let digits = values &<< UInt64(64 - 8 * count)
  let pairs = digits &* 10 &+ (digits >> 8)
  let firstAndThird = (pairs & 0x0000_00FF_0000_00FF) &* ((1_000_000 << 32) + 100)
  let secondAndFourth = ((pairs >> 16) & 0x0000_00FF_0000_00FF) &* ((10_000 << 32) + 1)
  let number = (firstAndThird &+ secondAndFourth) >> 32
  // Not "if there are eight": that changes from line to line, too.
  guard index < bytes.count, isDigit(bytes[index]) else { return number }
  return scanLongDecimal(bytes, at: &index, number, count: 8)
}

@inline(__always) private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

/// Continues with the digits after the first `count`, which made `number`.
private func scanLongDecimal(
  _ bytes: Span<UInt8>, at index: inout Int, _ number: UInt64, count: Int
) -> UInt64? {
  var (number, count) = (number, count)
  while index < bytes.count, isDigit(bytes[index]) {
    let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
    let (sum, carry) = tenfold.addingReportingOverflow(UInt64(bytes[index] &- UInt8(ascii: "0")))
    number = sum
    count += 1
    index += 1
    if overflow || carry || count > 20 { return nil }
  }
  return count > 0 ? number : nil
}

extension Span<UInt8> {
  /// Eight bytes from `index` on, bounds checked, the first in the lowest byte.
  @inline(__always) func word(at index: Int) -> UInt64 {
    // This is safe despite the name: any eight bytes are a number.
    UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
  }
}
