internal import ArgumentParser

/// A size as typed: a number and a unit, by default sectors.
struct TypedSize: ExpressibleByArgument {
  let bytes: UInt64

  init?(argument: String) {
    let digits = argument.prefix(while: \.isASCIIDigit)
    let name = argument.dropFirst(digits.count)
    guard let number = UInt64(digits),
      let unit = name.isEmpty ? ByteUnit.sector : ByteUnit(named: name)
    else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
    if overflow { return nil }
    self.bytes = bytes
  }
}

extension TypedSize {
  /// Blocks of a size that are needed for this; `nil` without a size.
  func blocks(of size: TypedSize?) -> UInt64? {
    guard let size, size.bytes > 0 else { return nil }
    return bytes / size.bytes + (bytes % size.bytes == 0 ? 0 : 1)
  }
}

extension Character {
  /// Whether it is one of the digits 0 to 9.
  var isASCIIDigit: Bool { isASCII && isNumber }
}
