internal import PersistentData
internal import Synchronization
internal import Threads

extension ReverseEmitter {
  /// Entries that a worker takes at a time: enough to have most of a leaf's together.
  private static let share = 8192
  /// Bytes of text at which a worker waits for its turn to write. A few entries of shared leaves
  /// make many lines.
  private static let enough = 1 << 18

  /// Writes the runs that begin in a pass, a line each: workers make the text in parallel, and
  /// write it in turn.
  func write(
    _ pass: ReversePass, to sink: ByteSink, _ names: VolumeNames
  ) throws(ByteSink.Failure) {
    let buckets = pass.buckets
    let step = max(1, buckets.count * ReverseEmitter.share / max(1, pass.entryCount))
    let next = Atomic(0)
    let turns = Turns()
    let failure = Mutex<ByteSink.Failure?>(nil)
    Workers.run(Workers.coreCount) {
      var emitter = self
      var sorter = ReverseSorter()
      var text = ReverseText(names: names)
      while true {
        let turn = next.add(1, ordering: .relaxed).oldValue
        let first = turn * step
        guard first < buckets.count else { return }
        let part = first..<min(first + step, buckets.count)
        do throws(ByteSink.Failure) {
          try emitter.emit(part, of: pass, &sorter) { (run) throws(ByteSink.Failure) in
            text.append(run)
            if text.count > ReverseEmitter.enough { try text.write(to: sink, at: turn, of: turns) }
          }
          try text.write(to: sink, at: turn, of: turns)
          turns.pass()
        } catch {
          // Only the first failure is kept.
          failure.withLock { $0 = $0 ?? error }
          return turns.end()
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
  }
}

extension ReverseText {
  /// Writes the text when its turn comes; if it never comes, another worker has failed.
  fileprivate mutating func write(
    to sink: ByteSink, at turn: Int, of turns: Turns
  ) throws(ByteSink.Failure) {
    guard turns.wait(for: turn) else { throw .readerGone }
    try write(to: sink)
  }
}
