// The one reading of numbers in XML: 1 to 20 decimal digits that make a number below 2^64. Leading
// zeros are let pass; signs, spaces and all else are not.

/// The number that `bytes` consist of.
func decimal(_ bytes: Span<UInt8>) -> UInt64? {
  var index = 0
  let number = scanDecimal(bytes, at: &index)
  return index == bytes.count ? number : nil
}

/// Reads all the digits from `index` on, which it moves past them.
///
/// Returns `nil` if they are none, too many or too much.
@inline(__always) func scanDecimal(_ bytes: Span<UInt8>, at index: inout Int) -> UInt64? {
  let start = index
  var number: UInt64 = 0
  // Nineteen digits cannot overflow.
  while index < bytes.count, index < start + 19, let digit = digit(bytes[index]) {
    number = number &* 10 &+ digit
    index += 1
  }
  if index == start { return nil }
  guard index == start + 19, index < bytes.count, let digit = digit(bytes[index]) else {
    return number
  }
  index += 1
  let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
  let (sum, carry) = tenfold.addingReportingOverflow(digit)
  let isTooLong = index < bytes.count && isDigit(bytes[index])
  return overflow || carry || isTooLong ? nil : sum
}

@inline(__always) private func digit(_ byte: UInt8) -> UInt64? {
  isDigit(byte) ? UInt64(byte &- UInt8(ascii: "0")) : nil
}

@inline(__always) private func isDigit(_ byte: UInt8) -> Bool {
  byte &- UInt8(ascii: "0") < 10
}
