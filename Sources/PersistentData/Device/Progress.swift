internal import Synchronization

/// The progress of a long job, for display.
///
/// Counting costs one addition per read; a job never waits for the display.
package final class Progress: Sendable {
  private let title = Mutex("")
  private let total = Atomic(0)
  private let done = Atomic(0)

  init() {}

  /// A part of the job begins, described by `title`: `total` blocks or bytes, 0 if not known.
  package func begin(_ title: String, total: Int) {
    self.title.withLock { $0 = title }
    done.store(0, ordering: .relaxed)
    self.total.store(total, ordering: .relaxed)
  }

  package func advance(_ count: Int) { done.add(count, ordering: .relaxed) }

  /// The current part of the job, and the fraction done, from 0 to 1; `nil` if the total isn't
  /// known.
  package var state: (title: String, fraction: Double?) {
    let total = total.load(ordering: .relaxed)
    let done = done.load(ordering: .relaxed)
    let isKnown = total > 0 && done <= total
    return (title.withLock { $0 }, isKnown ? Double(done) / Double(total) : nil)
  }
}
