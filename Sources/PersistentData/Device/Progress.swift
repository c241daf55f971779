internal import Synchronization

/// How far a long job has come, for whoever wants to show it.
///
/// Counting costs an addition a read; nobody ever waits for the one who shows it.
package final class Progress: Sendable {
  private let title = Mutex("")
  private let total = Atomic(0)
  private let done = Atomic(0)

  init() {}

  /// A part of the job begins, described by `title`: `total` blocks or bytes, 0 where that is not
  /// known.
  package func begin(_ title: String, total: Int) {
    self.title.withLock { $0 = title }
    done.store(0, ordering: .relaxed)
    self.total.store(total, ordering: .relaxed)
  }

  package func advance(_ count: Int) { done.add(count, ordering: .relaxed) }

  /// The part of the job under way, and what of it is done, from 0 to 1; `nil` where it can't be
  /// told how much there is.
  package var state: (title: String, fraction: Double?) {
    let total = total.load(ordering: .relaxed)
    let done = done.load(ordering: .relaxed)
    let isKnown = total > 0 && done <= total
    return (title.withLock { $0 }, isKnown ? Double(done) / Double(total) : nil)
  }
}
