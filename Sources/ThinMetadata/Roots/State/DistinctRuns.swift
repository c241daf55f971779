internal import PersistentData

/// Runs of many leaves, cut so that no data block is in two of them.
///
/// A data block that several leaves map alike, same virtual block and same time, is one mapping
/// that devices share. One that is mapped in two ways is left out: kernels never do that, so one of
/// the leaves isn't what it was any more.
struct DistinctRuns {
  /// Ascending by data block.
  private(set) var runs: [MappingRun] = []

  /// Two runs on the same line map a data block alike.
  private struct Line: Hashable {
    let offset: UInt64
    let time: UInt32
  }

  /// Where each open line ends.
  private var open: [Line: UInt64] = [:]
  /// The first data block not handled yet.
  private var next: UInt64 = 0

  /// `dataBlockCount`: what lies beyond is left out.
  init(_ all: some Sequence<MappingRun>, dataBlockCount: UInt64) {
    for run in all.sorted(by: { $0.dataBegin < $1.dataBegin }) {
      guard run.dataBegin < dataBlockCount else { break }
      advance(to: run.dataBegin)
      let line = Line(offset: run.virtualBegin &- run.dataBegin, time: run.time)
      let end = min(run.dataBlocks.upperBound, dataBlockCount)
      open[line] = max(open[line] ?? 0, end)
    }
    advance(to: .max)
  }

  private mutating func advance(to limit: UInt64) {
    while let end = open.values.min() {
      let stop = min(end, limit)
      if next < stop, open.count == 1, let line = open.keys.first { append(line, to: stop) }
      next = max(next, stop)
      if end > limit { return }
      open = open.filter { $0.value > end }
    }
    next = limit
  }

  private mutating func append(_ line: Line, to end: UInt64) {
    runs.appendJoining(
      MappingRun(
        virtualBegin: next &+ line.offset, dataBegin: next, length: end - next, time: line.time))
  }
}
