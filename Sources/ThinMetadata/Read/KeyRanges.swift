internal import PersistentData

/// Ranges of virtual blocks in words.
package enum KeyRanges {
  /// `sectorsPerBlock`: to give sizes in bytes as well; 0 when unknown.
  package static func text(_ ranges: [ClosedRange<UInt64>], sectorsPerBlock: UInt64) -> String {
    let shown = 4
    var parts = ranges.prefix(shown).map { range -> String in
      if range.upperBound == .max { return text(range) }
      let count = range.upperBound - range.lowerBound + 1
      let size = count.multipliedReportingOverflow(by: sectorsPerBlock * 512)
      let bytes =
        size.overflow || sectorsPerBlock == 0 ? "" : " (\(ByteCount.text(size.partialValue)))"
      return text(range) + bytes
    }
    if ranges.count > shown { parts.append("\(ranges.count - shown) more ranges") }
    return parts.joined(separator: ", ")
  }

  package static func text(_ range: ClosedRange<UInt64>) -> String {
    if range == 0...UInt64.max { return "all virtual blocks" }
    if range.upperBound == .max { return "virtual blocks from \(range.lowerBound) on" }
    if range.lowerBound == range.upperBound { return "virtual block \(range.lowerBound)" }
    return "virtual blocks \(range.lowerBound)..\(range.upperBound)"
  }
}

/// Numbers of mappings in words.
package enum MappingCount {
  /// "12 of 500 mappings (768 KiB)"; leaves out what is not known.
  package static func text(_ count: UInt64, of all: UInt64? = nil, sectorsPerBlock: UInt64)
    -> String
  {
    let size = count.multipliedReportingOverflow(by: sectorsPerBlock * 512)
    let bytes =
      size.overflow || sectorsPerBlock == 0 ? "" : " (\(ByteCount.text(size.partialValue)))"
    let whole = all.map { " of \($0)" } ?? ""
    return "\(count)\(whole) mapping\((all ?? count) == 1 ? "" : "s")\(bytes)"
  }
}
