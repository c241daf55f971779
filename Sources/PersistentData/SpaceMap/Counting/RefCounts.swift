internal import Synchronization

/// How many references each block of a device has, counted in memory.
///
/// Memory is allocated for 65,536 blocks at a time, when one of them is first counted: two bits per
/// block, as in a bitmap on disk. If a count is above 3, the 4096 blocks around it take a byte each
/// in addition; the few counts of 254 and more are in a table. So an ordinary pool takes a quarter
/// of a byte per data block, and a huge one that is hardly used next to nothing.
///
/// Threads may count at the same time: each takes the lock for all runs that it brings. Counts must
/// not be read while others count. Asking for a block past the end is a programming error and
/// traps.
package final class RefCounts: Sendable {
  /// How many runs ahead counts are prefetched.
  private static let runsAhead = 16

  /// Blocks of the device.
  package let count: UInt64
  /// What threads have collected for the thread that counts.
  let waiting = WaitingRuns()
  private let state: Mutex<CountPages>

  /// Every count is 0.
  ///
  /// `watchingExclusive`: notices when a block with an exclusive reference has another one; until
  /// `endWatch`, counts must not be read.
  package init(count: UInt64, watchingExclusive: Bool = false) {
    self.count = count
    state = Mutex(CountPages(count: count, watchingExclusive: watchingExclusive))
  }

  /// Turns exclusive references into ordinary ones. Returns whether a block with an exclusive
  /// reference had another one.
  package func endWatch() -> Bool { state.withLock { $0.endWatch() } }

  package subscript(block: UInt64) -> UInt64 {
    precondition(block < count)
    return state.withLock { $0[block] }
  }

  package func set(_ block: UInt64, to value: UInt64) {
    precondition(block < count)
    state.withLock { $0.set(block, to: value) }
  }

  package func increment(_ block: UInt64) {
    precondition(block < count)
    state.withLock { $0.increment(BlockRun(begin: block, length: 1)) }
  }

  /// Counts one reference to each of `blocks`.
  func increment(_ blocks: some Sequence<UInt32>) {
    state.withLock { pages in
      for block in blocks {
        precondition(UInt64(block) < count)
        pages.increment(BlockRun(begin: UInt64(block), length: 1))
      }
    }
  }

  /// Counts one reference to every block of every run. All runs lie on the device.
  func increment(_ runs: Span<BlockRun>) {
    state.withLock { increment(runs, in: &$0) }
  }

  /// The same, unless another thread is counting. Returns whether it was done.
  func incrementUnlessBusy(_ runs: Span<BlockRun>) -> Bool {
    state.withLockIfAvailable { increment(runs, in: &$0) } != nil
  }

  private func increment(_ runs: Span<BlockRun>, in pages: inout CountPages) {
    for index in runs.indices {
      let run = runs[index]
      precondition(run.begin <= count && run.length <= count - run.begin)
      let ahead = index &+ RefCounts.runsAhead
      if ahead < runs.count, runs[ahead].begin < count { pages.prefetch(runs[ahead].begin) }
      pages.increment(run)
    }
  }

  /// The two-bit entries of the 32 blocks from `first` on, as a bitmap on disk holds them: bit 2k
  /// is the high bit of block `first + k`'s count, bit 2k + 1 the low one, and 3 means 3 or more.
  ///
  /// `first` is a multiple of 32. Blocks past the end count as free.
  package func bitmapWord(from first: UInt64) -> UInt64 {
    first < count ? state.withLock { $0.bitmapWord(from: first) } : 0
  }

  /// The words of the `wordCount` × 32 blocks from `first` on, as `bitmapWord` gives them.
  func bitmapWords(from first: UInt64, _ wordCount: Int) -> [UInt64] {
    state.withLock { $0.bitmapWords(from: first, wordCount, below: count) }
  }

  /// How many blocks have a count above 0.
  var countedBlocks: UInt64 {
    stride(from: 0, to: count, by: Bitmap.entryCount).reduce(0) { sum, start in
      bitmapWords(from: start, Bitmap.wordCount).reduce(sum) {
        $0 + UInt64((($1 | $1 >> 1) & Bitmap.lowBits).nonzeroBitCount)
      }
    }
  }

  /// How many blocks have a count above 0 here and of 0 in all `others`, which have the same size.
  package func countedBlocks(butNotIn others: [RefCounts]) -> UInt64 {
    stride(from: 0, to: count, by: Bitmap.entryCount).reduce(0) { sum, start in
      var words = bitmapWords(from: start, Bitmap.wordCount).map { $0 | $0 >> 1 }
      if words.allSatisfy({ $0 == 0 }) { return sum }
      for other in others {
        for (index, word) in other.bitmapWords(from: start, Bitmap.wordCount).enumerated() {
          words[index] &= ~(word | word >> 1)
        }
      }
      return words.reduce(sum) { $0 + UInt64(($1 & Bitmap.lowBits).nonzeroBitCount) }
    }
  }

  /// How many blocks of some runs, all of which lie on the device, have a count of 1.
  package func countOfOnes(in runs: Span<BlockRun>) -> UInt64 {
    state.withLock { pages in
      var sum: UInt64 = 0
      for index in runs.indices {
        let run = runs[index]
        precondition(run.begin <= count && run.length <= count - run.begin)
        let ahead = index &+ RefCounts.runsAhead
        if ahead < runs.count, runs[ahead].begin < count { pages.prefetch(runs[ahead].begin) }
        sum += pages.countOfOnes(in: run)
      }
      return sum
    }
  }

  /// For each range of blocks, all on the device, whether any of them has a count above 1.
  package func haveCountAbove1(_ ranges: some Sequence<Range<UInt64>>) -> [Bool] {
    state.withLock { pages in
      ranges.map { blocks in
        precondition(blocks.upperBound <= count)
        return blocks.contains { pages[$0] > 1 }
      }
    }
  }

  /// The first block from `start` on with a count above 0.
  package func firstCounted(from start: UInt64) -> UInt64? {
    state.withLock { pages in
      var block = start
      while block < count {
        if let end = pages.endOfEmpty(with: block) {
          block = end
        } else if pages[block] > 0 {
          return block
        } else {
          block += 1
        }
      }
      return nil
    }
  }

  /// Gives all counts of 3 and more to `body`, ascending by block, until it returns `false`.
  package func forEachLargeCount(_ body: (UInt64, UInt64) -> Bool) {
    for start in stride(from: 0, to: count, by: Bitmap.entryCount) {
      for (index, word) in bitmapWords(from: start, Bitmap.wordCount).enumerated() {
        var large = word & word >> 1 & Bitmap.lowBits
        while large != 0 {
          let entry = index * Bitmap.entriesPerWord + large.trailingZeroBitCount / 2
          let block = start + UInt64(entry)
          guard body(block, self[block]) else { return }
          large &= large - 1
        }
      }
    }
  }
}

/// One reference to each of some consecutive blocks.
@usableFromInline
package struct BlockRun: Hashable, Sendable {
  @usableFromInline package let begin: UInt64
  /// The length, with the highest bit set if the references are exclusive: there are millions of
  /// runs, so they have to be small.
  @usableFromInline let bits: UInt64  // just the length, unless exclusive

  @inlinable static var exclusiveBit: UInt64 { 1 << 63 }

  /// `length` is less than 2^63. `isExclusive`: the referrer assumes that no other reference to the
  /// blocks exists.
  @inlinable package init(begin: UInt64, length: UInt64, isExclusive: Bool = false) {
    self.begin = begin
    bits = length | (isExclusive ? BlockRun.exclusiveBit : 0)
  }

  /// The references are exclusive if `number` is above `limit`, both far below 2^63. Avoids a
  /// branch, which would be unpredictable.
  init(begin: UInt64, length: UInt64, isExclusiveAbove limit: Int64, _ number: UInt64) {
    self.begin = begin
    bits = length | (UInt64(bitPattern: limit) &- number) & BlockRun.exclusiveBit
  }

  @inlinable package var length: UInt64 { bits & ~BlockRun.exclusiveBit }
  @inlinable package var isExclusive: Bool { bits & BlockRun.exclusiveBit != 0 }
}
