internal import PersistentData
internal import Synchronization
internal import Threads

/// The numbers that have been met, and those met again, as far as their lowest bits tell.
///
/// One table for all workers, of up to 2^27 bits, and as many again once a number has come twice:
/// 32 MiB at most. Numbers with the same lowest bits can't be told apart here.
///
/// In the order of a cache, each number would touch another line of memory. So workers sort some of
/// them by the part of the table that they belong to, and those of many such stretches are put into
/// each part together: by one worker, while the others go on.
final class SeenNumbers: Sendable {
  private static let places: ClosedRange<UInt64> = 1 << 16...1 << 27
  /// Places for each number that is expected: a cache's origin is often that much larger, and then
  /// each number has its own.
  private static let placesPerNumber: UInt64 = 16
  /// Parts of the table: up to a quarter of a MiB each, for the second-level cache.
  private static let partCount = 64
  /// Numbers that are put into the table together: 8 MiB.
  private static let inserted = 1 << 21

  private struct Tables {
    var met: BlockTable<UInt64>
    var again: BlockTable<UInt64>?
    var repeats: UInt64 = 0

    mutating func insert(_ stretches: [Stretch]) {
      for part in 0..<SeenNumbers.partCount {
        for stretch in stretches { insert(stretch.places(part)) }
      }
    }

    private mutating func insert(_ places: Span<UInt32>) {
      let known = met.setBits(places)
      if known.isEmpty { return }
      repeats += UInt64(known.count)
      again = again ?? BlockTable(bitCount: UInt64(64 * met.indices.count))
      _ = again?.setBits(known.span)
    }
  }

  /// Places in the table, sorted by its part.
  private struct Stretch: Sendable {
    private let places: [UInt32]
    /// By part: where it begins; the last element is the end.
    private let starts: [Int]

    var count: Int { places.count }

    init(_ numbers: [UInt32], placeCount: UInt64) {
      let shift = UInt32((placeCount / UInt64(SeenNumbers.partCount)).trailingZeroBitCount)
      let mask = UInt32(placeCount - 1)
      var starts = [Int](repeating: 0, count: SeenNumbers.partCount + 1)
      var places = [UInt32](repeating: 0, count: numbers.count)
      var counts = starts.mutableSpan
      for number in numbers { counts[Int((number & mask) >> shift) + 1] += 1 }
      for part in 1...SeenNumbers.partCount { counts[part] += counts[part - 1] }
      var next = starts
      var nextPlaces = next.mutableSpan
      var sorted = places.mutableSpan
      for number in numbers {
        let place = number & mask
        let part = Int(place >> shift)
        sorted[nextPlaces[part]] = place
        nextPlaces[part] += 1
      }
      self.places = places
      self.starts = starts
    }

    @_lifetime(borrow self) func places(_ part: Int) -> Span<UInt32> {
      places.span.extracting(starts[part]..<starts[part + 1])
    }
  }

  private struct State {
    /// `nil` while a worker puts numbers into them.
    var tables: Tables?
    var waiting: [Stretch] = []
    var waitingCount = 0

    mutating func takeWaiting() -> [Stretch] {
      let stretches = waiting
      (waiting, waitingCount) = ([], 0)
      return stretches
    }
  }

  private let placeCount: UInt64
  private let state: Mutex<State>
  /// Raised when the tables are back.
  private let changed = Signal()

  init(expecting count: UInt64) {
    let wanted = count.multipliedReportingOverflow(by: SeenNumbers.placesPerNumber)
    let limit = SeenNumbers.places.upperBound
    var places = SeenNumbers.places.lowerBound
    while places < limit, wanted.overflow || places < wanted.partialValue { places *= 2 }
    placeCount = places
    state = Mutex(State(tables: Tables(met: BlockTable(bitCount: places))))
  }

  private func add(_ stretch: Stretch) {
    waitForRoom()
    // It moves, and is never shared: a table that two hold would be copied.
    var tables: Tables?
    let stretches = state.withLock { state -> [Stretch] in
      state.waiting.append(stretch)
      state.waitingCount += stretch.count
      guard state.waitingCount >= SeenNumbers.inserted else { return [] }
      swap(&tables, &state.tables)
      return tables == nil ? [] : state.takeWaiting()
    }
    if tables == nil { return }
    tables?.insert(stretches)
    state.withLock { swap(&tables, &$0.tables) }
    changed.raise()
  }

  /// Waits while a worker has the tables, and enough numbers for another wait.
  private func waitForRoom() {
    while true {
      let seen = changed.count
      let isFull = state.withLock {
        $0.tables == nil && $0.waitingCount >= SeenNumbers.inserted
      }
      if !isFull { return }
      changed.wait(past: seen)
    }
  }

  /// Numbers of one worker that are not sorted yet.
  struct Batch: Sendable {
    /// Numbers that are sorted at once.
    private static let stretch = 1 << 14

    private let seen: SeenNumbers
    private var numbers: [UInt32] = []

    init(_ seen: SeenNumbers) {
      self.seen = seen
      numbers.reserveCapacity(Batch.stretch + NumberScan.limit)
    }

    /// Takes up to `NumberScan.limit` numbers without their bits above the lowest 32.
    mutating func append(_ some: Span<UInt32>) {
      numbers.append(copying: some)
      if numbers.count >= Batch.stretch { finish() }
    }

    /// Hands on the numbers that have come.
    mutating func finish() {
      if numbers.isEmpty { return }
      seen.add(Stretch(numbers, placeCount: seen.placeCount))
      numbers.removeAll(keepingCapacity: true)
    }
  }

  /// Those that have been met more than once.
  struct Repeated: Sendable {
    fileprivate let places: BlockTable<UInt64>?
    fileprivate let mask: UInt64
    /// How often a number was met that had been met before.
    let count: UInt64

    func contains(_ number: UInt64) -> Bool { places?.hasBit(number & mask) ?? false }
  }

  /// What all batches have shown; they must have finished.
  var repeated: Repeated {
    state.withLock { state in
      let stretches = state.takeWaiting()
      state.tables?.insert(stretches)
      return Repeated(
        places: state.tables?.again, mask: placeCount - 1, count: state.tables?.repeats ?? 0)
    }
  }
}
