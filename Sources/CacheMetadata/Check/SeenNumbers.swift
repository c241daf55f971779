internal import PersistentData
internal import Synchronization
internal import Threads

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
    var met: BlockTable<UInt64>
    var again: BlockTable<UInt64>?
    var repeats: UInt64 = 0

    mutating func insert(_ places: Span<UInt32>) {
      let known = met.setBits(places)
      if known.isEmpty { return }
      repeats += UInt64(known.count)
      again = again ?? BlockTable(bitCount: UInt64(64 * met.indices.count))
      _ = again?.setBits(known.span)
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
    tables = Mutex(Tables(met: BlockTable(bitCount: places)))
  }

  /// Numbers of one worker that are not in the table yet.
  ///
  /// In the order of a cache, each would touch another line of memory. So they are put in order
  /// by the part of the table that they belong to, and many are put into each part at a time.
  struct Batch: Sendable {
    /// Numbers that are put in order at once.
    private static let sortedAtOnce = 1 << 14
    /// Numbers that are kept: 8 MiB of all workers together.
    private static let limit = (1 << 21) / Workers.coreCount
    /// Parts of the table: a quarter of a MiB each, for the second-level cache.
    private static let partCount = 64

    private let seen: SeenNumbers
    private let partBits: Int
    private var unsorted: [UInt32] = []
    private var sorted: [UInt32] = []
    /// By stretch of `sorted`: where each part begins in it; the last element is its end.
    private var starts: [[Int]] = []

    init(_ seen: SeenNumbers) {
      self.seen = seen
      partBits = (seen.placeCount / UInt64(Batch.partCount)).trailingZeroBitCount
    }

    /// Takes up to `NumberScan.limit` numbers without their bits above the lowest 32.
    mutating func append(_ numbers: Span<UInt32>) {
      unsorted.append(copying: numbers)
      if unsorted.count >= Batch.sortedAtOnce { sort() }
      if sorted.count >= Batch.limit { finish() }
    }

    /// Puts the numbers into the table.
    mutating func finish() {
      sort()
      insertAll()
      sorted.removeAll(keepingCapacity: true)
      starts.removeAll()
    }

    private mutating func sort() {
      let (shift, mask) = (UInt32(partBits), UInt32(seen.placeCount - 1))
      let unsorted = unsorted
      var begins = [Int](repeating: 0, count: Batch.partCount + 1)
      var counts = begins.mutableSpan
      for number in unsorted { counts[Int((number & mask) >> shift) + 1] += 1 }
      counts[0] = sorted.count
      for part in 1...Batch.partCount { counts[part] += counts[part - 1] }
      starts.append(begins)
      // Otherwise it would be copied as it grows, to memory that the system has to provide.
      sorted.reserveCapacity(Batch.limit + Batch.sortedAtOnce + NumberScan.limit)
      sorted += repeatElement(0, count: unsorted.count)
      var places = sorted.mutableSpan
      var next = begins.mutableSpan
      for number in unsorted {
        let place = number & mask
        let part = Int(place >> shift)
        places[next[part]] = place
        next[part] += 1
      }
      self.unsorted.removeAll(keepingCapacity: true)
    }

    private func insertAll() {
      seen.tables.withLock { tables in
        for part in 0..<Batch.partCount {
          for starts in starts {
            tables.insert(sorted.span.extracting(starts[part]..<starts[part + 1]))
          }
        }
      }
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

  var repeated: Repeated {
    let tables = tables.withLock { $0 }
    return Repeated(places: tables.again, mask: placeCount - 1, count: tables.repeats)
  }
}
