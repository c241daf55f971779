internal import Synchronization

/// Turns for threads that work in parallel but have to do something in order, such as writing their
/// output: 0, 1, 2 and so on, until all have had their turn, or `end` is called.
package final class Turns: Sendable {
  private struct State {
    var current = 0
    var areOver = false
  }

  private let state = Mutex(State())
  private let changed = Signal()

  package init() {}

  /// Returns when a turn has come; `false` if turns have ended. Threads that take turns in
  /// ascending order can't deadlock: the lowest turn still to come never depends on a waiting
  /// thread.
  package func wait(for turn: Int) -> Bool {
    while true {
      let seen = changed.count
      let now = state.withLock { $0 }
      if now.areOver || now.current == turn { return !now.areOver }
      changed.wait(past: seen)
    }
  }

  /// Ends the current turn.
  package func pass() {
    state.withLock { $0.current += 1 }
    changed.raise()
  }

  /// Ends all turns, for every thread.
  package func end() {
    state.withLock { $0.areOver = true }
    changed.raise()
  }
}
