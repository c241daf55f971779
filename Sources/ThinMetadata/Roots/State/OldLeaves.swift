internal import PersistentData

/// What leaves of old trees map, and what became of it: each leaf once, however many devices share
/// it.
struct OldLeaves: Sendable {
  /// A leaf's mappings by what became of them.
  struct Leaf: Sendable {
    /// Ascending by virtual block; those that come back.
    fileprivate(set) var kept: [MappingRun] = []
    /// The others, ascending.
    fileprivate(set) var leftOut: [Recovery.Part] = []
    fileprivate(set) var counts: [DataBlockFate: UInt64] = [:]
    /// The latest time of those that are shared with devices of today.
    fileprivate(set) var latestShared: UInt32?
  }

  private(set) var leaves: [MetadataBlock: Leaf] = [:]

  /// `contents`: by leaf. `owners`: the devices of the old state that have a leaf. `fates`: of the
  /// distinct mappings among them. `timeFloor`: of the old state. A mapping made later is certainly
  /// the same as a device's of today only if that device had it then.
  init(
    _ contents: [MetadataBlock: [MappingRun]], owners: [MetadataBlock: Set<UInt64>],
    fates: DataBlockFates,
    timeFloor: UInt32, dataBlockCount: UInt64
  ) {
    let known = fates.parts.sorted { $0.run.dataBegin < $1.run.dataBegin }
    let starts = known.map(\.run.dataBegin)
    for (block, runs) in contents {
      var leaf = Leaf()
      for run in runs {
        for part in OldLeaves.parts(run, known, starts, dataBlockCount) {
          var part = part
          if part.fate == .shared, part.run.time >= timeFloor, let user = part.user,
            owners[block]?.contains(user) != true
          {
            part = Recovery.Part(run: part.run, fate: .unclear, user: user)
          }
          leaf.add(part)
        }
      }
      leaves[block] = leaf
    }
  }

  /// Cuts a run by the fates of its data blocks.
  private static func parts(
    _ run: MappingRun, _ known: [Recovery.Part], _ starts: [UInt64], _ dataBlockCount: UInt64
  ) -> [Recovery.Part] {
    var parts: [Recovery.Part] = []
    var done: UInt64 = 0
    func add(upTo end: UInt64, _ fate: DataBlockFate, _ user: UInt64?) {
      if end <= done { return }
      parts.append(Recovery.Part(run: run.part(Int(done)..<Int(end)), fate: fate, user: user))
      done = end
    }
    func addUnknown(upTo end: UInt64) {
      // Blocks in no known run are mapped in two ways, or lie off the data device.
      let inside = dataBlockCount > run.dataBegin ? dataBlockCount - run.dataBegin : 0
      add(upTo: min(end, inside), .repeated, nil)
      add(upTo: end, .unknown, nil)
    }
    var index = max(0, starts.firstIndex(from: run.dataBegin + 1) - 1)
    while index < known.count, known[index].run.dataBegin < run.dataBlocks.upperBound {
      let other = known[index].run
      index += 1
      let begin = max(other.dataBegin, run.dataBegin)
      let end = min(other.dataBlocks.upperBound, run.dataBlocks.upperBound)
      if begin >= end { continue }
      addUnknown(upTo: begin - run.dataBegin)
      add(upTo: end - run.dataBegin, known[index - 1].fate, known[index - 1].user)
    }
    addUnknown(upTo: run.length)
    return parts
  }
}

extension OldLeaves.Leaf {
  fileprivate mutating func add(_ part: Recovery.Part) {
    counts[part.fate, default: 0] += part.run.length
    guard part.fate.isKept else {
      leftOut.append(part)
      return
    }
    if part.fate == .shared { latestShared = max(latestShared ?? 0, part.run.time) }
    kept.appendJoining(part.run)
  }

  /// The latest time of the mappings that come back.
  var latestTime: UInt32? { kept.map(\.time).max() }
}
