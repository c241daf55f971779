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

/// Where the runs at a leaf's edges lie: what says whether a device's run goes on in the next leaf.
struct LeafEdges: Sendable {
  struct First: Sendable {
    let leaf: UInt32
    /// Of the run, with the highest bit set if it is all that the leaf has.
    let length: UInt32
    let virtualBegin: UInt64
    let dataBegin: UInt64
  }

  struct Last: Sendable {
    let leaf: UInt32
    let virtualEnd: UInt64
    let dataEnd: UInt64
  }

  static let onlyRun: UInt32 = 1 << 31

  private var firsts: [First] = []
  private var lasts: [Last] = []
  private var firstPlaces: BlockPlaces
  private var lastPlaces: BlockPlaces

  init(blockCount: UInt64) {
    firstPlaces = BlockPlaces(blockCount: blockCount)
    lastPlaces = BlockPlaces(blockCount: blockCount)
  }

  mutating func add(_ firsts: [First], _ lasts: [Last]) {
    self.firsts.reserveCapacity(self.firsts.count + firsts.count)
    for first in firsts {
      firstPlaces[first.leaf] = self.firsts.count
      self.firsts.append(first)
    }
    for last in lasts {
      lastPlaces[last.leaf] = self.lasts.count
      self.lasts.append(last)
    }
  }

  /// The first run of a leaf, where it touches a region.
  func first(_ leaf: UInt32) -> First? { firstPlaces[leaf].map { firsts[$0] } }

  /// Where the last run of a leaf ends, where it touches a region.
  func end(_ leaf: UInt32) -> (virtual: UInt64, data: UInt64)? {
    if let place = lastPlaces[leaf] { return (lasts[place].virtualEnd, lasts[place].dataEnd) }
    guard let first = first(leaf), first.length & LeafEdges.onlyRun != 0 else { return nil }
    let length = UInt64(first.length & ~LeafEdges.onlyRun)
    return (first.virtualBegin &+ length, first.dataBegin + length)
  }
}

/// How many entries begin where, in parts of equal size: what later windows are cut by.
struct ReverseHistogram: Sendable {
  private static let partCount: UInt64 = 4096

  private let begin: UInt64
  private let partSize: UInt64
  private var counts = [UInt64](repeating: 0, count: Int(partCount))

  init(_ regions: DataRegions) {
    begin = regions.first
    partSize = (regions.end - begin) / ReverseHistogram.partCount + 1
  }

  mutating func count(_ block: UInt64) { counts[Int((block - begin) / partSize)] += 1 }

  mutating func add(_ other: ReverseHistogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  /// A block up to which, from `block` on, there are about as many entries as there is room for.
  func cut(from block: UInt64, room: Int) -> UInt64 {
    var part = Int((block - begin) / partSize)
    var sum: UInt64 = 0
    while part < counts.count {
      sum += counts[part]
      // The first one may be too much for the room: the window then sees to it.
      if sum > UInt64(room), part > Int((block - begin) / partSize) { break }
      part += 1
    }
    return begin + UInt64(part) * partSize
  }
}
