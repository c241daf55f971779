internal import ArgumentParser

/// A percentage as typed: `5`, `0.1` or `5%`.
struct TypedPercent: ExpressibleByArgument {
  /// 1,000,000 is 100 %.
  let partsPerMillion: UInt64

  /// Decimals that are accepted.
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
