internal import PersistentData

/// Ranges of data blocks, ascending, none of which touches another.
package struct DataRegions: Hashable, Sendable {
  package let ranges: [Range<UInt64>]

  /// Takes ranges in any order; those that overlap or touch become one.
  package init(_ ranges: [Range<UInt64>]) {
    self.ranges = ranges.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
      .reduce(into: []) { $0.appendJoining($1) }
  }

  /// A region as people write it, `B..E`: from block B up to, but without, block E.
  package static func parse(_ text: String) -> Range<UInt64>? {
    let parts = text.split(separator: "..", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.allSatisfy(\.isASCII) }),
      let begin = UInt64(parts[0]), let end = UInt64(parts[1]), begin < end,
      !text.contains("+")
    else { return nil }
    return begin..<end
  }

  var first: UInt64 { ranges.first?.lowerBound ?? 0 }
  var end: UInt64 { ranges.last?.upperBound ?? 0 }

  /// The same without what lies at or beyond `count`.
  func clamped(to count: UInt64) -> DataRegions {
    DataRegions(ranges.map { min($0.lowerBound, count)..<min($0.upperBound, count) })
  }

  /// The first range that ends behind `block`: its index, or that of the end.
  private func index(endingBehind block: UInt64) -> Int {
    if ranges.count == 1 { return ranges[0].upperBound > block ? 0 : 1 }
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound > block { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Whether one of some blocks, not none, or the one behind them, is in a range.
  func touch(_ blocks: Range<UInt64>) -> Bool {
    let index = index(endingBehind: blocks.lowerBound)
    return index < ranges.count && ranges[index].lowerBound <= blocks.upperBound
  }

  /// Gives `body` the parts of some blocks that are in a range, with the range.
  @inline(__always) func forEachPart(
    of blocks: Range<UInt64>, _ body: (_ part: Range<UInt64>, _ range: Range<UInt64>) -> Void
  ) {
    var index = index(endingBehind: blocks.lowerBound)
    while index < ranges.count, ranges[index].lowerBound < blocks.upperBound {
      body(blocks.clamped(to: ranges[index]), ranges[index])
      index += 1
    }
  }
}
