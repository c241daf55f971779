/// How many entries begin where, in parts of equal size: later windows are cut by it.
struct ReverseHistogram: Sendable {
  private static let maxParts: UInt64 = 4096

  private let begin: UInt64
  /// Data blocks of a part, as a power of two.
  private let partBits: UInt64
  private var counts: [UInt64]

  init(_ regions: DataRegions) {
    begin = regions.first
    let size = regions.end - begin
    var bits: UInt64 = 0
    while size >> bits >= ReverseHistogram.maxParts { bits += 1 }
    partBits = bits
    counts = Array(repeating: 0, count: Int(size >> bits) + 1)
  }

  mutating func count(_ block: UInt64) { counts[Int((block - begin) >> partBits)] += 1 }

  mutating func add(_ other: ReverseHistogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  /// The end of a window from `block` on that has about as many entries as there is room for.
  func cut(from block: UInt64, room: Int) -> UInt64 {
    let first = Int((block - begin) >> partBits)
    var part = first
    var sum: UInt64 = 0
    while part < counts.count {
      sum += counts[part]
      // The first one alone may be too much: the window deals with that.
      if sum > UInt64(room), part > first { break }
      part += 1
    }
    return begin + UInt64(part) << partBits
  }
}
