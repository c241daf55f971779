internal import PersistentData
internal import Synchronization

/// The owners of suspect data blocks: the virtual block and time of each block's latest mapping,
/// which is the owner's.
///
/// However many devices share a data block, all its mappings have one virtual block and one time;
/// where they don't, it was allocated more than once.
///
/// Twelve bytes a block. Threads may note what they find at the same time, in any order.
final class DataOwners: Sendable {
  /// What is known of a block, beside the time in the lowest 24 bits.
  private static let mapped: UInt32 = 1 << 24
  private static let disputed: UInt32 = 1 << 25
  private static let tied: UInt32 = 1 << 26
  private static let timeMask = Mapping.timeMaximum

  private struct State {
    /// The time of the latest mapping, with the flags above.
    var times: [UInt32]
    var virtualBlocks: [UInt64]
    var hasDisputes = false

    mutating func note(_ virtual: UInt64, _ time: UInt32, at index: Int) {
      let known = times[index]
      let latest = known & DataOwners.timeMask
      if known == 0 {
        times[index] = DataOwners.mapped | time
        virtualBlocks[index] = virtual
      } else if time > latest {
        times[index] = DataOwners.mapped | DataOwners.disputed | time
        virtualBlocks[index] = virtual
        hasDisputes = true
      } else if time < latest {
        times[index] |= DataOwners.disputed
        hasDisputes = true
      } else if virtual != virtualBlocks[index] {
        times[index] |= DataOwners.disputed | DataOwners.tied
        hasDisputes = true
      }
    }
  }

  private let blocks: SuspectBlocks
  private let state: Mutex<State>

  init(_ blocks: SuspectBlocks) {
    self.blocks = blocks
    state = Mutex(
      State(
        times: Array(repeating: 0, count: blocks.count),
        virtualBlocks: Array(repeating: 0, count: blocks.count)))
  }

  /// Notes the mappings of a leaf; called once for each leaf.
  func note(_ runs: ArraySlice<MappingRun>) {
    state.withLock { state in
      for run in runs {
        blocks.forEach(in: run.dataBlocks) { block, index in
          state.note(run.virtualBegin + (block - run.dataBegin), run.time, at: index)
        }
      }
    }
  }

  /// What was found, once all leaves have been noted; `nil` where no block has two owners.
  /// `missing`: references that data blocks are short of.
  func disputes(missing: UInt64) -> Disputes? {
    state.withLock { state in
      guard state.hasDisputes else { return nil }
      let disputes = Disputes(blocks: blocks, times: state.times, missing: missing)
      state.times = []
      state.virtualBlocks = []
      return disputes
    }
  }

  /// Which mappings of disputed blocks came too early, or at the same time as others.
  struct Disputes: Sendable {
    private let blocks: SuspectBlocks
    private let times: [UInt32]
    /// Whether mappings may be wrong instead, and any of them the wrong one: few blocks are
    /// disputed, and no fewer references to others are missing.
    let areDoubtful: Bool
    /// With more wrong mappings, it isn't just a bad block or two.
    private static let maxWrongMappings = 2

    fileprivate init(blocks: SuspectBlocks, times: [UInt32], missing: UInt64) {
      self.blocks = blocks
      self.times = times
      let count = times.count { $0 & DataOwners.disputed != 0 }
      areDoubtful = count <= Disputes.maxWrongMappings && missing >= UInt64(count)
    }

    /// Gives the blocks of `run` that have two owners, and whether its mapping is certainly an
    /// earlier one; the latest mapping's only if others have the same time, or all are doubtful.
    func forEach(in run: MappingRun, _ body: (UInt64, _ isEarlier: Bool) -> Void) {
      blocks.forEach(in: run.dataBlocks) { block, index in
        let time = times[index]
        guard time & DataOwners.disputed != 0 else { return }
        if areDoubtful {
          body(block, false)
        } else if run.time < time & DataOwners.timeMask {
          body(block, true)
        } else if time & DataOwners.tied != 0 {
          body(block, false)
        }
      }
    }
  }
}
