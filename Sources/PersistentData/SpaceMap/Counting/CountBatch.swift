/// A thread's references on their way into `RefCounts`, counted by the thousands at once.
///
/// The first thread counts the others' references as well as its own, so that the counts stay in
/// the cache of one core. The others count only if it can't keep up.
package struct CountBatch: Sendable {
  /// A summary of the values of a leaf.
  package struct Bounds: Sendable {
    /// The highest block.
    package fileprivate(set) var highest: UInt64 = 0
    /// The highest number in the low bits beside the block numbers.
    package fileprivate(set) var highestRest: UInt64 = 0
    /// How many runs of blocks there are.
    package fileprivate(set) var runCount = 0
  }

  /// Runs are counted once there are this many; a leaf of single blocks brings 252.
  private static let flushCount = 8192
  /// The most runs that fit; when full, the thread waits for its turn to count.
  private static let capacity = 2 * flushCount

  private let counts: RefCounts
  /// Whether this thread also counts what others collect.
  private let isCounter: Bool
  /// The first `runCount` are in use; those up to `stagedEnd` are staged.
  private var runs = CountBatch.room
  private var runCount = 0
  private var stagedEnd = 0

  package init(_ counts: RefCounts) {
    self.counts = counts
    isCounter = counts.waiting.appointCounter()
  }

  private static var room: [BlockRun] {
    Array(repeating: BlockRun(begin: 0, length: 0), count: capacity)
  }

  /// Adds a run of blocks that lie on the device.
  package mutating func add(_ run: BlockRun) {
    makeRoom(1)
    runs[runCount] = run
    runCount += 1
  }

  /// Finds the runs of blocks in the values of a leaf, for `addStaged` once the bounds are checked.
  /// A block's number is above the lowest `bits` bits of its value; if these bits are at least
  /// `exclusiveFrom`, the reference is exclusive.
  package mutating func stage(
    _ values: Span<UInt64>, above bits: UInt64, exclusiveFrom: UInt32 = .max
  ) -> Bounds {
    makeRoom(values.count)
    return collect(values, above: bits, exclusiveFrom)
  }

  /// Adds one reference to each of the blocks staged last, all of which lie on the device.
  package mutating func addStaged() { runCount = stagedEnd }

  /// Counts everything that was added. Must be called at the end.
  package mutating func flush() {
    counts.increment(runs.span.extracting(first: runCount))
    runCount = 0
    // No other thread may be left to count what is waiting.
    countWaiting()
  }

  private mutating func makeRoom(_ count: Int) {
    if isCounter, counts.waiting.hasBatches { countWaiting() }
    if runCount < CountBatch.flushCount { return }
    if !isCounter, counts.waiting.append(&runs, runCount, room: CountBatch.room) {
      runCount = 0
    } else if counts.incrementUnlessBusy(runs.span.extracting(first: runCount)) {
      runCount = 0
    } else if count > CountBatch.capacity - runCount {
      flush()
    }
  }

  private func countWaiting() {
    while let batch = counts.waiting.next() {
      counts.increment(batch.runs.span.extracting(first: batch.count))
      counts.waiting.giveBack(batch.runs)
    }
  }

  /// Puts the runs of the values after those in use.
  private mutating func collect(
    _ values: Span<UInt64>, above bits: UInt64, _ exclusiveFrom: UInt32
  ) -> Bounds {
    var ends = RunEnds(of: values, step: 1 << bits)
    let range = runCount..<runCount + ends.count
    stagedEnd = range.upperBound
    var runs = runs.mutableSpan
    var bounds = Bounds()
    bounds.runCount = range.count
    let rest: UInt64 = (1 << bits) - 1
    let lastOrdinary = Int64(exclusiveFrom) - 1
    var start = 0
    for index in range {
      let value = UInt64(littleEndian: values[start])
      let end = ends.next() &+ 1
      // Both are indices in one leaf, so this can't be negative.
      let length = UInt64(truncatingIfNeeded: end &- start)
      start = end
      runs[index] = BlockRun(
        begin: value &>> bits, length: length, isExclusiveAbove: lastOrdinary, value & rest)
      bounds.highest = max(bounds.highest, value &>> bits &+ length &- 1)
      bounds.highestRest = max(bounds.highestRest, value & rest)
    }
    return bounds
  }
}
