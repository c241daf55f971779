internal import CSystem
internal import Glibc
internal import Synchronization

/// How many references each block of a device has, counted in core.
///
/// A byte a block, in memory that is taken only where it is touched, and a table for the few
/// counts of 255 and more. The space maps on disk are compared with it, and written from it.
///
/// Threads may count at the same time: each takes the lock for as many runs as it brings. Asking
/// for a block past the end is a programming error and traps.
@safe package final class RefCounts: @unchecked Sendable {
  /// This byte says "see the table".
  private static let inTable: UInt8 = 255
  /// Runs shorter than this are counted one by one.
  private static let shortRun: UInt64 = 16

  /// Blocks of the device.
  package let count: UInt64
  private let bytes: UnsafeMutablePointer<UInt8>
  private let mappedBytes: UInt64
  private let large: Mutex<Table>

  /// What the lock guards besides the bytes.
  private struct Table {
    /// The counts of 255 and more.
    var counts: [UInt64: UInt64] = [:]
    /// Regions that have been written to.
    var touched: [Bool]

    init(bytes: UInt64) {
      touched = Array(repeating: false, count: Int(bytes >> RefCounts.regionBits) + 1)
    }
  }

  /// Memory is taken 64 KiB at a time.
  private static let regionBits: UInt64 = 16
  private static let pageSize = 4096

  /// Every count is 0. Memory is taken page by page as counts are made.
  package init(count: UInt64) throws(IOError) {
    // A bitmap word covers 32 blocks: room for the last one, and never an empty mapping.
    let rounded = (count + 63) & ~31
    guard let base = unsafe dmm_map_zeroes(rounded) else {
      throw .callFailed(call: "taking memory for \(count) reference counts", errno: errno)
    }
    self.count = count
    mappedBytes = rounded
    large = Mutex(Table(bytes: rounded))
    unsafe bytes = base.assumingMemoryBound(to: UInt8.self)
  }

  deinit { unsafe dmm_unmap(bytes, mappedBytes) }

  package subscript(block: UInt64) -> UInt64 {
    precondition(block < count)
    let byte = unsafe bytes[Int(block)]
    guard byte == RefCounts.inTable else { return UInt64(byte) }
    return large.withLock { $0.counts[block, default: UInt64(RefCounts.inTable)] }
  }

  package func set(_ block: UInt64, to value: UInt64) {
    large.withLock { set(block, to: value, &$0) }
  }

  package func increment(_ block: UInt64) {
    large.withLock { increment(block, &$0) }
  }

  /// Counts one reference to each of `blocks`.
  func increment(_ blocks: some Sequence<UInt32>) {
    large.withLock { table in
      for block in blocks { increment(UInt64(block), &table) }
    }
  }

  /// Counts one reference to every block of every run. All runs lie on the device.
  package func increment(_ runs: [BlockRun]) {
    large.withLock { table in
      for run in runs {
        precondition(run.begin <= count && run.length <= count - run.begin && run.length > 0)
        touch(run, &table)
        if run.length >= RefCounts.shortRun, incrementAtOnce(run) { continue }
        let first = Int(run.begin)
        for place in first..<first + Int(run.length) {
          let byte = unsafe bytes[place]
          if byte < RefCounts.inTable - 1 {
            unsafe bytes[place] = byte + 1
          } else {
            increment(UInt64(place), &table)
          }
        }
      }
    }
  }

  private func increment(_ block: UInt64, _ table: inout Table) {
    precondition(block < count)
    touch(BlockRun(begin: block, length: 1), &table)
    let byte = unsafe bytes[Int(block)]
    if byte < RefCounts.inTable - 1 {
      unsafe bytes[Int(block)] = byte + 1
    } else {
      set(block, to: table.counts[block, default: UInt64(byte)] + 1, &table)
    }
  }

  private func set(_ block: UInt64, to value: UInt64, _ table: inout Table) {
    precondition(block < count)
    touch(BlockRun(begin: block, length: 1), &table)
    unsafe bytes[Int(block)] = UInt8(min(value, UInt64(RefCounts.inTable)))
    table.counts[block] = value >= UInt64(RefCounts.inTable) ? value : nil
  }

  /// Writes to memory that has not been written to before it is read: reading first would map a
  /// page of zeroes, and replacing that by a page of our own interrupts all cores.
  @inline(__always) private func touch(_ run: BlockRun, _ table: inout Table) {
    let first = run.begin >> RefCounts.regionBits
    let last = (run.begin + run.length - 1) >> RefCounts.regionBits
    if first == last, table.touched[Int(first)] { return }
    touchRegions(first...last, &table)
  }

  private func touchRegions(_ regions: ClosedRange<UInt64>, _ table: inout Table) {
    for region in regions where !table.touched[Int(region)] {
      table.touched[Int(region)] = true
      let start = Int(region << RefCounts.regionBits)
      let end = min(start + 1 << Int(RefCounts.regionBits), Int(mappedBytes))
      // Untouched bytes are zero, so nothing changes.
      for place in stride(from: start, to: end, by: RefCounts.pageSize) { unsafe bytes[place] = 0 }
    }
  }

  /// Two loops that the compiler turns into vector code; refuses when a count would leave its byte.
  private func incrementAtOnce(_ run: BlockRun) -> Bool {
    let first = unsafe bytes + Int(run.begin)
    let length = Int(run.length)
    var highest: UInt8 = 0
    for index in 0..<length { highest = unsafe max(highest, first[index]) }
    guard highest < RefCounts.inTable - 1 else { return false }
    for index in 0..<length { unsafe first[index] &+= 1 }
    return true
  }

  /// The two-bit entries of the 32 blocks from `first` on, as a bitmap on disk holds them: bit 2k
  /// is the high bit of block `first + k`, bit 2k + 1 the low one, and 3 says "3 or more".
  ///
  /// `first` is a multiple of 32. Blocks past the end count as free.
  package func bitmapWord(from first: UInt64) -> UInt64 {
    guard first < count else { return 0 }
    var word: UInt64 = 0
    for quarter in 0..<4 {
      let eight = unsafe UnsafeRawPointer(bytes).load(
        fromByteOffset: Int(first) + 8 * quarter, as: UInt64.self)
      word |= RefCounts.pack(UInt64(littleEndian: eight)) << (16 * UInt64(quarter))
    }
    return word
  }

  /// Gives all counts of 3 and more to `body`, ascending, until it says `false`.
  package func forEachLargeCount(_ body: (UInt64, UInt64) -> Bool) {
    for first in stride(from: 0, to: count, by: Bitmap.entriesPerWord) {
      let word = bitmapWord(from: first)
      var large = word & word >> 1 & Bitmap.lowBits
      while large != 0 {
        let block = first + UInt64(large.trailingZeroBitCount / 2)
        guard body(block, self[block]) else { return }
        large &= large - 1
      }
    }
  }

  /// Eight byte counts as eight two-bit entries.
  private static func pack(_ counts: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    if counts == 0 { return 0 }
    if counts == ones { return 0xAAAA }
    var low = counts & ones
    var high = counts >> 1 & ones
    // A count above 3 has a bit among its upper six: adding 127 to them then sets bit 7.
    let upper = counts >> 2 & (ones * 63)
    let many = (upper + ones * 127) >> 7 & ones
    low |= many
    high |= many
    var entries = high | low << 1
    entries = (entries | entries >> 6) & 0x000F_000F_000F_000F
    entries = (entries | entries >> 12) & 0x0000_00FF_0000_00FF
    return (entries | entries >> 24) & 0xFFFF
  }
}

/// Blocks that stand one after the other.
package struct BlockRun: Hashable, Sendable {
  package var begin: UInt64
  package var length: UInt64

  package init(begin: UInt64, length: UInt64) {
    self.begin = begin
    self.length = length
  }
}
