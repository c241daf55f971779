internal import PersistentData
internal import Synchronization

/// The numbers that have been met, and those met again, as far as their lowest bits tell.
///
/// One table for all workers, of up to 2^27 bits, and as many again once a number has come twice:
/// 32 MiB at most. Numbers with the same lowest bits can't be told apart here.
final class SeenNumbers: Sendable {
  private static let places: ClosedRange<UInt64> = 1 << 16...1 << 27
  /// Places for each number that is expected: a cache's origin is often that much larger, and then
  /// each number has its own.
  private static let placesPerNumber: UInt64 = 16

  private struct Tables {
    var met: Bitset
    var again: Bitset
    var repeats: UInt64 = 0

    mutating func insert(_ places: [UInt64]) {
      let again = met.insert(places)
      if again.isEmpty { return }
      if repeats == 0 { self.again = Bitset(bitCount: Int(met.bitCount)) }
      repeats += UInt64(again.count)
      _ = self.again.insert(again)
    }
  }

  private let placeCount: UInt64
  private let tables: Mutex<Tables>

  init(expecting count: UInt64) {
    let wanted = count.multipliedReportingOverflow(by: SeenNumbers.placesPerNumber)
    let limit = SeenNumbers.places.upperBound
    var places = SeenNumbers.places.lowerBound
    while places < limit, wanted.overflow || places < wanted.partialValue { places *= 2 }
    placeCount = places
    tables = Mutex(Tables(met: Bitset(bitCount: Int(places)), again: Bitset(bitCount: 0)))
  }

  /// Numbers of one worker that are not in the table yet.
  struct Batch: Sendable {
    /// Beyond that a worker waits for the table: as many as eight blocks hold.
    private static let limit = 4096

    private let seen: SeenNumbers
    private var places: [UInt64] = []

    init(_ seen: SeenNumbers) {
      self.seen = seen
      places.reserveCapacity(Batch.limit)
    }

    mutating func append(_ number: UInt64) { places.append(number & (seen.placeCount - 1)) }

    /// Puts the numbers into the table unless another worker is at it and there is room for more.
    mutating func offer() {
      if places.count >= Batch.limit / 2 { return finish() }
      if seen.tables.withLockIfAvailable({ $0.insert(places) }) != nil {
        places.removeAll(keepingCapacity: true)
      }
    }

    /// Puts the numbers into the table.
    mutating func finish() {
      seen.tables.withLock { $0.insert(places) }
      places.removeAll(keepingCapacity: true)
    }
  }

  /// Those that have been met more than once.
  struct Repeated: Sendable {
    fileprivate let places: Bitset
    /// How often a number was met that had been met before.
    let count: UInt64

    func contains(_ number: UInt64) -> Bool { places[number & (places.bitCount &- 1)] }
  }

  var repeated: Repeated {
    let tables = tables.withLock { $0 }
    return Repeated(places: tables.again, count: tables.repeats)
  }
}
