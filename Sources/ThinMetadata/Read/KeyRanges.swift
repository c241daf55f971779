/// Ranges of virtual blocks in words.
package enum KeyRanges {
  /// `sectorsPerBlock`: to give sizes in bytes as well; 0 when unknown.
  package static func text(_ ranges: [ClosedRange<UInt64>], sectorsPerBlock: UInt64) -> String {
    let shown = 4
    var parts = ranges.prefix(shown).map { range -> String in
      if range == 0...UInt64.max { return "all virtual blocks" }
      if range.upperBound == .max { return "virtual blocks from \(range.lowerBound) on" }
      let count = range.upperBound - range.lowerBound + 1
      let size = count.multipliedReportingOverflow(by: sectorsPerBlock * 512)
      let bytes =
        size.overflow || sectorsPerBlock == 0 ? "" : " (\(ByteCount.text(size.partialValue)))"
      return "virtual blocks \(range.lowerBound)..\(range.upperBound)\(bytes)"
    }
    if ranges.count > shown { parts.append("\(ranges.count - shown) more ranges") }
    return parts.joined(separator: ", ")
  }
}

/// Sizes in words.
package enum ByteCount {
  package static func text(sectors: UInt32) -> String { text(UInt64(sectors) * 512) }

  /// In the largest binary unit that leaves at least 1, with one decimal.
  package static func text(_ bytes: UInt64) -> String {
    var unit = 0
    var rest = bytes
    while rest >= 1024 * 10, unit < 5 {
      rest /= 1024
      unit += 1
    }
    return "\(rest) \(["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"][unit])"
  }
}
