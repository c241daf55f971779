internal import PersistentData
internal import Synchronization

/// What has become of a data block that an old mapping tree maps.
package enum DataBlockFate: UInt8, Sendable {
  /// Free: it holds what it held, unless it was discarded, or allocated and freed again.
  case free
  /// Mapped as it was ever since: a device of today shares the data.
  case shared
  /// Mapped at another virtual block or with another time: it was allocated again.
  case reused
  /// Mapped the same today, but by a mapping that may have been made after the old one was removed.
  case unclear
  /// In use, and nothing that can be read maps it.
  case held
  /// Whether it is in use can't be read.
  case unknown
  /// Mapped twice by the old tree, as kernels never do: part of the tree is not its own any more.
  case repeated

  package var isKept: Bool { self == .free || self == .shared }
}

/// Finds out the fate of each data block that an old tree maps: first from what today's mappings
/// say, then from the data space map.
///
/// Holds five bytes for each mapping of the old tree. Threads may note what they find at the same
/// time.
final class DataBlockFates: Sendable {
  /// Mappings of today, or of the metadata snapshot, that concern the old tree.
  private struct Hit {
    let mappings: Range<Int>
    let fate: DataBlockFate
  }

  private struct State {
    var fates: [DataBlockFate]
    var users: [UInt32]
  }

  /// Ascending by data block, none overlapping.
  private let runs: [MappingRun]
  /// Where the mappings of each run start among all.
  private let starts: [Int]
  private let state: Mutex<State>

  /// `runs`: of the old tree, no data block twice.
  init(_ runs: [MappingRun]) {
    self.runs = runs.sorted { $0.dataBegin < $1.dataBegin }
    var starts: [Int] = []
    var count = 0
    for run in self.runs {
      starts.append(count)
      count += Int(run.length)
    }
    self.starts = starts
    state = Mutex(
      State(
        fates: Array(repeating: .free, count: count), users: Array(repeating: 0, count: count)))
  }

  /// Notes what a leaf of today maps; returns the latest time of the mappings that it shares with
  /// the old tree.
  ///
  /// `isOld`: whether a mapping with this time that equals an old one must be that old one.
  func note(_ mappings: ArraySlice<MappingRun>, of user: UInt64, isOld: (UInt32) -> Bool) -> UInt32?
  {
    var hits: [Hit] = []
    var latest: UInt32?
    for run in mappings {
      forEachOverlap(run) { old, first, length, start in
        let isSame =
          run.time == old.time
          && run.virtualBegin + (first - run.dataBegin)
            == old.virtualBegin + (first - old.dataBegin)
        let fate: DataBlockFate = !isSame ? .reused : isOld(run.time) ? .shared : .unclear
        if fate == .shared { latest = max(latest ?? 0, run.time) }
        hits.append(Hit(mappings: start..<start + Int(length), fate: fate))
      }
    }
    guard !hits.isEmpty else { return nil }
    let id = UInt32(truncatingIfNeeded: user)
    state.withLock { state in
      for hit in hits {
        for index in hit.mappings {
          let known = state.fates[index]
          // Of several users the lowest id is named, whichever thread comes first.
          if hit.fate.outweighs(known) || hit.fate == known && id < state.users[index] {
            state.fates[index] = hit.fate
            state.users[index] = id
          }
        }
      }
    }
    return latest
  }

  /// Looks up in the data space map what nothing maps. `isInUse`: whether a data block is in use;
  /// `nil` where that can't be read. It is called in ascending order.
  func lookUp(_ isInUse: (UInt64) -> Bool?) {
    state.withLock { state in
      for (run, start) in zip(runs, starts) {
        for offset in 0..<Int(run.length) where state.fates[start + offset] == .free {
          switch isInUse(run.dataBegin + UInt64(offset)) {
          case true: state.fates[start + offset] = .held
          case false: break
          case nil: state.fates[start + offset] = .unknown
          }
        }
      }
    }
  }

  /// The old mappings in pieces of one fate, ascending by virtual block.
  var parts: [Recovery.Part] {
    state.withLock { state in
      var parts: [Recovery.Part] = []
      for (run, start) in zip(runs, starts) {
        var begin = 0
        for end in 1...Int(run.length) {
          let isLast = end == Int(run.length)
          if !isLast, state.fates[start + end] == state.fates[start + begin],
            state.users[start + end] == state.users[start + begin]
          {
            continue
          }
          let fate = state.fates[start + begin]
          let hasUser = fate == .reused || fate == .unclear || fate == .shared
          parts.append(
            Recovery.Part(
              run: run.part(begin..<end), fate: fate,
              user: hasUser ? UInt64(state.users[start + begin]) : nil))
          begin = end
        }
      }
      return parts.sorted { $0.run.virtualBegin < $1.run.virtualBegin }
    }
  }

  /// Gives the parts of old runs whose data blocks `run` maps too: the run, the first such block,
  /// how many, and where the first stands among all mappings.
  private func forEachOverlap(
    _ run: MappingRun, _ body: (MappingRun, UInt64, UInt64, Int) -> Void
  ) {
    let end = run.dataBegin + run.length
    var index = firstRun(endingAfter: run.dataBegin)
    while index < runs.count, runs[index].dataBegin < end {
      let old = runs[index]
      let first = max(run.dataBegin, old.dataBegin)
      let last = min(end, old.dataBegin + old.length)
      body(old, first, last - first, starts[index] + Int(first - old.dataBegin))
      index += 1
    }
  }

  private func firstRun(endingAfter block: UInt64) -> Int {
    var low = 0
    var high = runs.count
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].dataBegin + runs[middle].length <= block {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}

extension DataBlockFate {
  /// Whether this replaces what was found before.
  fileprivate func outweighs(_ other: DataBlockFate) -> Bool {
    func weight(_ fate: DataBlockFate) -> Int {
      switch fate {
      case .reused: 3
      case .shared: 2
      case .unclear: 1
      case .free, .held, .unknown, .repeated: 0
      }
    }
    return weight(self) > weight(other)
  }
}

extension MappingRun {
  /// The mappings from `range.lowerBound` on.
  func part(_ range: Range<Int>) -> MappingRun {
    MappingRun(
      virtualBegin: virtualBegin + UInt64(range.lowerBound),
      dataBegin: dataBegin + UInt64(range.lowerBound), length: UInt64(range.count), time: time)
  }
}
