internal import PersistentData

/// How two devices compare over some virtual blocks.
package enum DeltaKind: String, CaseIterable, Sendable {
  /// Both map them to the same data blocks.
  case same
  /// Both map them, to other data blocks.
  case different
  case leftOnly = "left_only"
  case rightOnly = "right_only"
}

/// Consecutive virtual blocks that compare alike.
package struct DeltaRun: Hashable, Joinable, Sendable {
  package let kind: DeltaKind
  package let begin: UInt64
  package private(set) var length: UInt64
  /// The first data block on the left, where there is one and it is asked for.
  package let leftData: UInt64?
  package let rightData: UInt64?

  init(
    _ kind: DeltaKind, begin: UInt64, length: UInt64, leftData: UInt64?, rightData: UInt64?
  ) {
    self.kind = kind
    self.begin = begin
    self.length = length
    self.leftData = leftData
    self.rightData = rightData
  }

  /// Takes `next` in if it comes right after this run, of the same kind, and its data blocks go on.
  package mutating func join(_ next: DeltaRun) -> Bool {
    guard kind == next.kind, next.begin - begin == length,
      leftData.map({ $0 + length }) == next.leftData,
      rightData.map({ $0 + length }) == next.rightData
    else { return false }
    length += next.length
    return true
  }

  /// The same without data blocks, so that it continues wherever these are.
  var withoutData: DeltaRun {
    DeltaRun(kind, begin: begin, length: length, leftData: nil, rightData: nil)
  }
}

/// The mappings of two devices on their way to being compared, as far as they are known.
struct DeltaMerge {
  private var left = RunQueue()
  private var right = RunQueue()

  mutating func add(_ runs: ArraySlice<MappingRun>, toLeft: Bool, toRight: Bool) {
    if toLeft { left.add(runs) }
    if toRight { right.add(runs) }
  }

  /// Takes the next run of the comparison; `nil` when nothing more can be said. Mappings at and
  /// above `boundary` may still come; all below are there.
  mutating func next(below boundary: UInt64?) -> DeltaRun? {
    let (mine, theirs) = (left.first, right.first)
    guard let first = mine ?? theirs else { return nil }
    let begin = min(first.virtualBegin, theirs?.virtualBegin ?? .max)
    if let boundary, begin >= boundary { return nil }
    guard let mine, mine.virtualBegin == begin else {
      return right.first.map { run in
        let length = free(run, before: mine, boundary)
        right.drop(length)
        return DeltaRun(
          .rightOnly, begin: begin, length: length, leftData: nil, rightData: run.dataBegin)
      }
    }
    guard let theirs, theirs.virtualBegin == begin else {
      let length = free(mine, before: theirs, boundary)
      left.drop(length)
      return DeltaRun(
        .leftOnly, begin: begin, length: length, leftData: mine.dataBegin, rightData: nil)
    }
    let length = min(mine.length, theirs.length)
    left.drop(length)
    right.drop(length)
    return DeltaRun(
      mine.dataBegin == theirs.dataBegin ? .same : .different, begin: begin, length: length,
      leftData: mine.dataBegin, rightData: theirs.dataBegin)
  }

  /// How much of a run comes before the other side's next mapping, or what is not yet known of it.
  private func free(_ run: MappingRun, before next: MappingRun?, _ boundary: UInt64?) -> UInt64 {
    var length = run.length
    if let next { length = min(length, next.virtualBegin - run.virtualBegin) }
    if let boundary { length = min(length, boundary - run.virtualBegin) }
    return length
  }
}

/// Runs that wait for their turn.
private struct RunQueue {
  private var runs: [MappingRun] = []
  private var start = 0

  var first: MappingRun? { start < runs.count ? runs[start] : nil }

  mutating func add(_ more: ArraySlice<MappingRun>) {
    if start == runs.count {
      runs.removeAll(keepingCapacity: true)
      start = 0
    }
    runs += more
  }

  /// Drops that many blocks from the first run, which must have them.
  mutating func drop(_ length: UInt64) {
    let run = runs[start]
    if run.length == length {
      start += 1
      return
    }
    runs[start] = MappingRun(
      virtualBegin: run.virtualBegin + length, dataBegin: run.dataBegin + length,
      length: run.length - length, time: run.time)
  }
}
