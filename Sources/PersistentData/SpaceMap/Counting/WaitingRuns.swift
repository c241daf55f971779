internal import Synchronization

/// Runs that threads have collected for the thread that counts.
final class WaitingRuns: Sendable {
  struct Batch: Sendable {
    let runs: [BlockRun]
    /// How many of them are in use.
    let count: Int
  }

  private struct State {
    var batches: [Batch] = []
    /// Arrays to reuse.
    var spare: [[BlockRun]] = []
  }

  /// The most batches that may wait; more would mean that the counting thread can't keep up.
  private static let limit = 4

  private let state = Mutex(State())
  private let batchCount = Atomic(0)
  private let hasCounter = Atomic(false)

  /// Returns `true` only to the first caller.
  func appointCounter() -> Bool { !hasCounter.exchange(true, ordering: .relaxed) }

  /// Takes no lock.
  var hasBatches: Bool { batchCount.load(ordering: .relaxed) > 0 }

  /// Takes `count` runs, and leaves an array of the same size for more; returns `false` when full.
  func append(_ runs: inout [BlockRun], _ count: Int, room: @autoclosure () -> [BlockRun]) -> Bool {
    state.withLock { state in
      if state.batches.count == WaitingRuns.limit { return false }
      state.batches.append(Batch(runs: runs, count: count))
      runs = state.spare.popLast() ?? room()
      batchCount.store(state.batches.count, ordering: .relaxed)
      return true
    }
  }

  /// The next batch; the caller must count it and give its runs back.
  func next() -> Batch? {
    state.withLock { state in
      defer { batchCount.store(state.batches.count, ordering: .relaxed) }
      return state.batches.popLast()
    }
  }

  func giveBack(_ runs: [BlockRun]) { state.withLock { $0.spare.append(runs) } }
}
