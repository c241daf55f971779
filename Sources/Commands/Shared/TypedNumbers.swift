internal import ArgumentParser

/// A size as it is typed: a number and a unit, sectors unless there is one.
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
  /// Blocks of a size that are needed for so much; `nil` where there is no such size.
  func blocks(of size: TypedSize?) -> UInt64? {
    guard let size, size.bytes > 0 else { return nil }
    return bytes / size.bytes + (bytes % size.bytes == 0 ? 0 : 1)
  }
}

/// A count as it is typed; version 0.9 took `2k` for 2048, and `2K` for 2000.
struct TypedCount: ExpressibleByArgument {
  let count: UInt64

  init?(argument: String) {
    if let count = UInt64(argument) {
      self.count = count
    } else if argument.last?.isNumber == false, let size = TypedSize(argument: argument) {
      count = size.bytes
    } else {
      return nil
    }
  }
}

/// A share in percent as it is typed: `5`, `0.1` or `5%`.
struct TypedPercent: ExpressibleByArgument {
  /// 1,000,000 is all.
  let partsPerMillion: UInt64

  /// Decimals that make a difference.
  private static let decimals = 4

  init?(argument: String) {
    let number = argument.hasSuffix("%") ? argument.dropLast() : argument[...]
    let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, parts.allSatisfy({ $0.allSatisfy(\.isASCIIDigit) }),
      let whole = UInt64(first), whole <= 100
    else { return nil }
    let tail = parts.count == 2 ? parts[1] : ""
    guard tail.count <= TypedPercent.decimals, parts.count == 1 || !tail.isEmpty,
      let decimals = UInt64(
        tail + String(repeating: "0", count: TypedPercent.decimals - tail.count))
    else { return nil }
    partsPerMillion = whole * 10_000 + decimals
    if partsPerMillion > 1_000_000 { return nil }
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
