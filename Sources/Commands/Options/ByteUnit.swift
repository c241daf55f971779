internal import ArgumentParser

/// A unit for sizes, with all the names that versions 0.9 and 1.x accept.
enum ByteUnit: Character, CaseIterable {
  case byte = "b"
  case sector = "s"
  case kibibyte = "k"
  case mebibyte = "m"
  case gibibyte = "g"
  case tebibyte = "t"
  case pebibyte = "p"
  case exbibyte = "e"
  case kilobyte = "K"
  case megabyte = "M"
  case gigabyte = "G"
  case terabyte = "T"
  case petabyte = "P"
  case exabyte = "E"

  var letter: String { String(rawValue) }

  /// "mebibytes"
  var plural: String { "\(self)s" }

  var bytes: UInt64 {
    switch self {
    case .byte: 1
    case .sector: 512
    case .kibibyte: 1 << 10
    case .mebibyte: 1 << 20
    case .gibibyte: 1 << 30
    case .tebibyte: 1 << 40
    case .pebibyte: 1 << 50
    case .exbibyte: 1 << 60
    case .kilobyte: 1000
    case .megabyte: 1_000_000
    case .gigabyte: 1_000_000_000
    case .terabyte: 1_000_000_000_000
    case .petabyte: 1_000_000_000_000_000
    case .exabyte: 1_000_000_000_000_000_000
    }
  }

  /// "MiB"; `nil` for bytes and sectors.
  private var short: String? {
    switch self {
    case .byte, .sector: nil
    case .kilobyte: "kB"
    case .kibibyte, .mebibyte, .gibibyte, .tebibyte, .pebibyte, .exbibyte:
      letter.uppercased() + "iB"
    case .megabyte, .gigabyte, .terabyte, .petabyte, .exabyte: letter + "B"
    }
  }

  /// All names: `m`, `MiB`, `mebibyte`, `mebibytes`, `mebi`.
  private var names: [String] {
    let prefix = short == nil ? [] : [String("\(self)".dropLast("byte".count))]
    return [letter, "\(self)", plural] + [short].compactMap(\.self) + prefix
  }

  init?(named name: some StringProtocol) {
    guard let unit = ByteUnit.allCases.first(where: { $0.names.contains(String(name)) })
    else { return nil }
    self = unit
  }
}

extension ByteUnit: ExpressibleByArgument {
  init?(argument: String) { self.init(named: argument) }

  var defaultValueDescription: String { letter }
  // Too many names to list them.
  static var allValueStrings: [String] { [] }
}

extension ByteUnit {
  /// A number of bytes in this unit, as version 1.x prints it: without decimals if whole, with two
  /// above 1, with all of them below.
  func figure(_ count: UInt64) -> String {
    let value = Double(count) / Double(bytes)
    if let whole = UInt64(exactly: value) { return String(whole) }
    return value < 1 ? ByteUnit.allDecimals(value) : ByteUnit.twoDecimals(value)
  }

  /// From 0 to 1: the shortest digits that identify the number.
  private static func allDecimals(_ value: Double) -> String {
    let parts = value.description.split(separator: "e-")
    guard parts.count == 2, let exponent = Int(parts[1]) else { return value.description }
    let digits = parts[0].filter(\.isNumber)
    // The zero in "5.0e-05" isn't significant.
    let significant = digits.hasSuffix("0") ? digits.dropLast() : digits[...]
    return "0." + String(repeating: "0", count: exponent - 1) + significant
  }

  /// From 1 to 2^52: rounded from the exact value, halves to even.
  private static func twoDecimals(_ value: Double) -> String {
    let significand = value.significandBitPattern | 1 << UInt64(Double.significandBitCount)
    let shift = UInt64(Double.significandBitCount) - UInt64(value.exponent)
    let hundredths = significand * 100
    var rounded = hundredths >> shift
    let rest = hundredths - rounded << shift
    let half = (1 << shift) / 2 as UInt64
    if rest > half || rest == half && rounded % 2 == 1 { rounded += 1 }
    let decimals = String(rounded % 100)
    return "\(rounded / 100)." + (decimals.count < 2 ? "0" : "") + decimals
  }
}
