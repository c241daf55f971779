internal import PersistentData
internal import Synchronization

/// Who maps each data block: the number of a set of sharers.
///
/// Two bytes per data block, where any is mapped. Threads add what leaves map, a batch at a time.
final class BlockSharers: Sendable {
  /// Consecutive data blocks that the sharers of a leaf map.
  struct Run: Sendable {
    let begin: UInt64
    let length: UInt64
    let set: UInt16
  }

  private struct State: Sendable {
    var sets: SharerSets
    var table: BlockTable<UInt16>
    /// One past the highest block that is mapped.
    var end: UInt64 = 0
  }

  private let state: Mutex<State>

  init(_ sets: SharerSets, dataBlockCount: UInt64) {
    state = Mutex(State(sets: sets, table: BlockTable(count: dataBlockCount)))
  }

  /// Notes runs that lie on the data device.
  func note(_ runs: [Run]) {
    state.withLock { state in
      for run in runs {
        for block in Int(run.begin)..<Int(run.begin + run.length) {
          let known = state.table[block]
          if known == run.set { continue }
          state.table[block] = state.sets.union(known, run.set)
        }
        state.end = max(state.end, run.begin + run.length)
      }
    }
  }

  /// What was noted; asked for when nothing more is noted.
  var result: (sets: SharerSets, table: BlockTable<UInt16>, end: UInt64) {
    state.withLock { ($0.sets, $0.table, $0.end) }
  }
}
