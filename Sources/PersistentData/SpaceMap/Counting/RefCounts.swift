internal import Synchronization

/// How many references each block of a device has, counted in core.
///
/// 65,536 blocks take memory together, when one of them is counted: two bits a block, just as a
/// bitmap on disk has them; 4096 of them take a byte each besides, when a count is above 3; and
/// the few counts of 254 and more stand in a table. So an ordinary pool takes a quarter of a byte
/// a data block, and a huge one that is hardly used next to nothing.
///
/// Threads may count at the same time: each takes the lock for as many runs as it brings. Nobody
/// may read while others count. Asking for a block past the end is a programming error and traps.
package final class RefCounts: Sendable {
  /// How many runs before its turn a count is asked for from memory.
  private static let runsAhead = 16

  /// Blocks of the device.
  package let count: UInt64
  /// What threads have collected for the one that counts.
  let waiting = WaitingRuns()
  private let state: Mutex<CountPages>

  /// Every count is 0.
  ///
  /// `watchingExclusive`: notice when a block with an exclusive reference has another one; until
  /// `endWatch`, nothing may be read.
  package init(count: UInt64, watchingExclusive: Bool = false) {
    self.count = count
    state = Mutex(CountPages(count: count, watchingExclusive: watchingExclusive))
  }

  /// From now on all references are alike. Returns whether a block of an exclusive reference had
  /// another one so far.
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

  /// The same, unless another thread counts. Returns whether it was done.
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
  /// is the high bit of block `first + k`'s count, bit 2k + 1 the low one, and 3 says "3 or more".
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

  /// How many blocks have a count above 0 here and of 0 in all `others`, which are as long.
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

  /// Gives all counts of 3 and more to `body`, ascending, until it says `false`.
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

/// References to blocks that stand one after the other.
@usableFromInline
package struct BlockRun: Hashable, Sendable {
  @usableFromInline package let begin: UInt64
  /// The length, with the highest bit set where references are exclusive: what is counted by the
  /// million has to be small.
  @usableFromInline let bits: UInt64  // the length alone, as long as nothing is said of them

  @inlinable static var exclusiveBit: UInt64 { 1 << 63 }

  /// `length` is less than 2^63. `isExclusive`: whoever refers to the blocks assumes that nobody
  /// else does.
  @inlinable package init(begin: UInt64, length: UInt64, isExclusive: Bool = false) {
    self.begin = begin
    bits = length | (isExclusive ? BlockRun.exclusiveBit : 0)
  }

  /// The references are exclusive where `number` is above `limit`, both far below 2^63. Without a
  /// branch, which no processor could predict.
  init(begin: UInt64, length: UInt64, isExclusiveAbove limit: Int64, _ number: UInt64) {
    self.begin = begin
    bits = length | (UInt64(bitPattern: limit) &- number) & BlockRun.exclusiveBit
  }

  @inlinable package var length: UInt64 { bits & ~BlockRun.exclusiveBit }
  @inlinable package var isExclusive: Bool { bits & BlockRun.exclusiveBit != 0 }
}
