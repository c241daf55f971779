internal import PersistentData

/// A run of a leaf, or the part of it that lies in a region, small enough to be kept by the
/// million.
struct ReverseEntry: Sendable {
  private static let lengthShift: UInt64 = 2
  private static let blockShift: UInt64 = 10
  private static let dataShift: UInt64 = 32
  /// Data blocks that can be told apart.
  static let reach: UInt64 = 1 << 32

  /// From the highest bit: the first data block, counted from the window's; the leaf; the length;
  /// whether the part is its leaf's first and may go on before it; whether it is the last, and may
  /// go on after it.
  let key: UInt64
  let virtualBegin: UInt64

  static let none = ReverseEntry(
    offset: 0, leaf: 0, length: 0, virtualBegin: 0, isFirst: false, isLast: false)

  init(
    offset: UInt64, leaf: UInt32, length: Int, virtualBegin: UInt64, isFirst: Bool, isLast: Bool
  ) {
    key =
      offset << ReverseEntry.dataShift | UInt64(leaf) << ReverseEntry.blockShift
      | UInt64(length) << ReverseEntry.lengthShift | (isFirst ? 2 : 0) | (isLast ? 1 : 0)
    self.virtualBegin = virtualBegin
  }

  var offset: UInt64 { key >> ReverseEntry.dataShift }
  var leaf: UInt32 { UInt32(key >> ReverseEntry.blockShift & (1 << 22 - 1)) }
  var length: UInt64 { key >> ReverseEntry.lengthShift & 0xFF }
  var isFirst: Bool { key & 2 != 0 }
  var isLast: Bool { key & 1 != 0 }
  var isInner: Bool { key & 3 == 0 }
}

/// How many entries begin where, in parts of equal size: what later windows are cut by.
struct ReverseHistogram: Sendable {
  private static let mostParts: UInt64 = 4096

  private let begin: UInt64
  /// Data blocks of a part, as a power of two.
  private let partBits: UInt64
  private var counts: [UInt64]

  init(_ regions: DataRegions) {
    begin = regions.first
    let size = regions.end - begin
    var bits: UInt64 = 0
    while size >> bits >= ReverseHistogram.mostParts { bits += 1 }
    partBits = bits
    counts = Array(repeating: 0, count: Int(size >> bits) + 1)
  }

  mutating func count(_ block: UInt64) { counts[Int((block - begin) >> partBits)] += 1 }

  mutating func add(_ other: ReverseHistogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  /// A block up to which, from `block` on, there are about as many entries as there is room for.
  func cut(from block: UInt64, room: Int) -> UInt64 {
    let first = Int((block - begin) >> partBits)
    var part = first
    var sum: UInt64 = 0
    while part < counts.count {
      sum += counts[part]
      // The first one may be too much for the room: the window then sees to it.
      if sum > UInt64(room), part > first { break }
      part += 1
    }
    return begin + UInt64(part) << partBits
  }
}
