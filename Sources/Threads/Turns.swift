internal import Synchronization

/// Turns of threads that work side by side and have something to do one after the other, such as
/// writing what each has made: 0, 1, 2 and so on, until all have had theirs, or they end.
package final class Turns: Sendable {
  private struct State {
    var current = 0
    var areOver = false
  }

  private let state = Mutex(State())
  private let changed = Signal()

  package init() {}

  /// Returns when a turn has come; `false` if turns have ended. Whoever waits for none but the
  /// lowest turn that is still to come needs nobody who waits.
  package func wait(for turn: Int) -> Bool {
    while true {
      let seen = changed.count
      let now = state.withLock { $0 }
      if now.areOver || now.current == turn { return !now.areOver }
      changed.wait(past: seen)
    }
  }

  /// Ends the turn that has come.
  package func pass() {
    state.withLock { $0.current += 1 }
    changed.raise()
  }

  /// Nobody gets a turn any more.
  package func end() {
    state.withLock { $0.areOver = true }
    changed.raise()
  }
}
