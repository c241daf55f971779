package import PersistentData

/// Makes a pool of a given shape and says it as events; the same pool for the same shape, always.
package struct PoolGenerator: Sendable {
  /// Bounds what a pool needs: it never needs more.
  package let neededBlocks: UInt64

  private let shape: PoolShape
  private let places: DataPlaces
  private let dataBlockCount: UInt64

  /// `shape`: one without a problem.
  package init(_ shape: PoolShape) {
    precondition(shape.problem == nil)
    self.shape = shape
    switch shape.dataOrder {
    case .sequential:
      places = .sequential
      dataBlockCount = shape.mappedDataBlocks + shape.mappedDataBlocks / 8 + 1024
    case .permuted:
      var counter = RunCounter()
      var generation = Generation(shape, .sequential)
      generation.devices(into: &counter)
      let count = counter.runCount + counter.runCount / 8 + 16
      places = DataPlaces(count: count, size: shape.longestRun)
      // Beyond what can be multiplied it is beyond what can be written, which the writer tells.
      let (product, overflow) = count.multipliedReportingOverflow(by: shape.longestRun)
      dataBlockCount = overflow ? .max : product
    }
    neededBlocks = shape.blocksAtMost(dataBlockCount: dataBlockCount)
  }

  /// Blocks of a metadata device on which the pool finds room and has some to spare.
  package var roomyBlocks: UInt64 {
    let bitmaps = Bitmap.count(for: neededBlocks) + 1
    // More than kernels reserve, and more than they warn below.
    let roomy = neededBlocks + bitmaps + min(4096, neededBlocks / 2) + 64
    return min((roomy + 255) & ~255, MetadataBlock.maximumCount)
  }

  /// Writes the pool's metadata to `file`.
  package func write(to file: BlockFile) throws(RestoreError) {
    var restorer = try Restorer(file)
    try write(into: &restorer)
  }

  /// Says the pool as events.
  package func write<Events: ThinEvents & ~Copyable>(
    into events: inout Events
  ) throws(Events.Failure) {
    try events.begin(
      PoolHeader(
        time: UInt32(shape.origins * shape.snapshots), transactionID: shape.deviceCount,
        dataBlockSectors: shape.dataBlockSectors, dataBlockCount: dataBlockCount))
    var generation = Generation(shape, places)
    try generation.devices(into: &events)
    try events.end()
  }
}

/// Once through a pool.
private struct Generation {
  private let shape: PoolShape
  private var random: SplitMix
  private var places: DataPlaces

  init(_ shape: PoolShape, _ places: DataPlaces) {
    self.shape = shape
    self.places = places
    random = SplitMix(seed: shape.seed)
  }

  mutating func devices<Events: ThinEvents & ~Copyable>(
    into events: inout Events
  ) throws(Events.Failure) {
    for origin in 0..<shape.origins {
      if shape.snapshots > 0 {
        for segment in 0..<shape.segments {
          try events.beginShared(name(origin, segment))
          try runs(of: segment, time: 0, into: &events)
          try events.endShared()
        }
      }
      for snapshot in 0...shape.snapshots { try device(origin, snapshot, into: &events) }
    }
  }

  /// A snapshot, or with the number 0 the origin.
  ///
  /// All origins come first in time, then snapshot by snapshot. An origin's last snapshot is
  /// newer than its mappings, and so it and its snapshots count as sharing them; what a snapshot
  /// has of its own is no older than the snapshot.
  private mutating func device<Events: ThinEvents & ~Copyable>(
    _ origin: UInt64, _ snapshot: UInt64, into events: inout Events
  ) throws(Events.Failure) {
    let id = origin * (shape.snapshots + 1) + snapshot
    let latest = snapshot == 0 ? shape.snapshots : snapshot
    let time = latest == 0 ? 0 : UInt32(origin * shape.snapshots + latest)
    try events.beginDevice(
      DeviceHeader(
        id: id,
        details: DeviceDetails(
          mappedBlocks: shape.mappingsPerDevice, transactionID: id,
          creationTime: snapshot == 0 ? 0 : time, snapshottedTime: time)))
    let own = snapshot == 0 ? [] : random.choose(shape.divergedSegments, below: shape.segments)
    for segment in 0..<shape.segments {
      if shape.snapshots == 0 || own.contains(segment) {
        try runs(of: segment, time: snapshot == 0 ? 0 : time, into: &events)
      } else {
        try events.reference(name(origin, segment))
      }
    }
    try events.endDevice()
  }

  private func name(_ origin: UInt64, _ segment: UInt64) -> String { "\(origin).\(segment)" }

  /// The mappings of a segment, at fresh data blocks.
  private mutating func runs<Events: ThinEvents & ~Copyable>(
    of segment: UInt64, time: UInt32, into events: inout Events
  ) throws(Events.Failure) {
    var key = segment * shape.segmentSpan
    var left = shape.mappings
    while left > 0 {
      let drawn = shape.shortestRun + random.number(below: shape.longestRun - shape.shortestRun + 1)
      let length = min(left, drawn)
      try events.run(
        MappingRun(virtualBegin: key, dataBegin: places.take(length), length: length, time: time))
      key += length
      if random.number(below: 4) == 0 { key += shape.gap }
      left -= length
    }
  }
}

/// Where runs of data blocks go.
private struct DataPlaces: Sendable {
  /// Places for a run each; 0 when blocks are given out one after the other.
  private let count: UInt64
  /// Blocks in a place.
  private let size: UInt64
  /// From a place to the next one given out: no common divisor with `count`, so that each place
  /// comes up once.
  private let step: UInt64
  private var next: UInt64 = 0

  static let sequential = DataPlaces()

  private init() { (count, size, step) = (0, 0, 0) }

  init(count: UInt64, size: UInt64) {
    self.count = count
    self.size = size
    // About the golden ratio: no two places given out in a row stand near each other.
    var step = count / 1000 * 618 | 1
    while DataPlaces.greatestDivisor(step, count) != 1 { step += 2 }
    self.step = step
  }

  mutating func take(_ length: UInt64) -> UInt64 {
    let place = next
    if count == 0 {
      next += length
      return place
    }
    next = (next + step) % count
    return place * size
  }

  private static func greatestDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
    var (left, right) = (left, right)
    while right != 0 { (left, right) = (right, left % right) }
    return left
  }
}

/// Counts the runs of a pool.
private struct RunCounter: ThinEvents {
  typealias Failure = Never

  private(set) var runCount: UInt64 = 0

  mutating func begin(_ pool: PoolHeader) {}
  mutating func beginShared(_ name: String) {}
  mutating func endShared() {}
  mutating func beginDevice(_ device: DeviceHeader) {}
  mutating func endDevice() {}
  mutating func run(_ run: MappingRun) { runCount += 1 }
  mutating func reference(_ name: String) {}
  mutating func end() {}
}

/// Random numbers that a seed brings back: SplitMix64.
struct SplitMix {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// `limit` is not 0; one that is small beside 2^64 makes no number likelier than another.
  mutating func number(below limit: UInt64) -> UInt64 { next().multipliedFullWidth(by: limit).high }

  /// `count` distinct numbers; no more than there are.
  mutating func choose(_ count: UInt64, below limit: UInt64) -> Set<UInt64> {
    var chosen: Set<UInt64> = []
    // Floyd's way: one draw for each, however many there are to choose from.
    for last in limit - count..<limit where !chosen.insert(number(below: last + 1)).inserted {
      chosen.insert(last)
    }
    return chosen
  }
}
