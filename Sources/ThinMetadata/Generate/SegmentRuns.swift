internal import PersistentData

/// Goes through the mappings of a segment.
struct SegmentRuns: Sendable {
  private(set) var random: SplitMix
  private(set) var places: DataPlaces
  /// Mappings not taken yet.
  private(set) var left: UInt64

  private let shape: PoolShape
  private let time: UInt32
  /// The virtual block of the next run.
  private var key: UInt64
  /// What is left of a run that was drawn.
  private var rest: MappingRun?

  init(
    _ shape: PoolShape, _ segment: UInt64, time: UInt32, _ random: SplitMix, _ places: DataPlaces
  ) {
    self.shape = shape
    self.time = time
    self.random = random
    self.places = places
    left = shape.mappings
    key = segment * shape.segmentSpan
  }

  /// The next run, of `limit` mappings at most; there must be some left.
  mutating func next(_ limit: UInt64) -> MappingRun {
    let run = rest ?? draw()
    let length = min(limit, run.length)
    rest =
      length == run.length
      ? nil
      : MappingRun(
        virtualBegin: run.virtualBegin + length, dataBegin: run.dataBegin + length,
        length: run.length - length, time: time)
    left -= length
    return MappingRun(
      virtualBegin: run.virtualBegin, dataBegin: run.dataBegin, length: length, time: time)
  }

  private mutating func draw() -> MappingRun {
    let drawn = shape.shortestRun + random.number(below: shape.longestRun - shape.shortestRun + 1)
    let length = min(left, drawn)
    let run = MappingRun(
      virtualBegin: key, dataBegin: places.take(length), length: length, time: time)
    key += length
    if random.number(below: 4) == 0 { key += shape.gap }
    return run
  }
}

/// Where runs of data blocks go.
struct DataPlaces: Sendable {
  /// Places for a run each; 0 when blocks are allocated sequentially.
  private let count: UInt64
  /// Blocks in a place.
  private let size: UInt64
  /// From a place to the next one allocated: no common divisor with `count`, so that each place is
  /// used once.
  private let step: UInt64
  private var next: UInt64 = 0
  /// Runs and blocks allocated so far.
  private(set) var takenRuns: UInt64 = 0
  private(set) var takenBlocks: UInt64 = 0

  static let sequential = DataPlaces()

  private init() { (count, size, step) = (0, 0, 0) }

  init(count: UInt64, size: UInt64) {
    self.count = count
    self.size = size
    // About the golden ratio: places allocated in a row don't stand near each other.
    var step = count / 1000 * 618 | 1
    while DataPlaces.greatestDivisor(step, count) != 1 { step += 2 }
    self.step = step
  }

  mutating func take(_ length: UInt64) -> UInt64 {
    let place = next
    takenRuns += 1
    takenBlocks += length
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
