internal import PersistentData

/// Tells which of several whole states of a pool is the newest. Nothing on disk carries a date, so
/// it is inferred from how kernels write:
///
/// - A commit takes the next free blocks after those of the commit before, or the first free ones
///   after an activation, and the index block last of all. So a state shows where the next one
///   would have been written.
/// - A changed node starts as a copy of the old one, bytes beyond its last entry included. So what
///   stands there tells which of two states came out of the other.
/// - What was overwritten is older than what overwrote it.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-metadata.c, `sm_metadata_new_block`.
struct StateOrder {
  /// How far a step from one state to the next is from what a kernel would do; 0 is usual.
  private struct Step {
    let from: Int
    let to: Int
    let strangeness: Double
  }

  /// What no step at all counts for: more than any step that is possible.
  private static let stranger = 1.0
  /// An activation between two commits is rarer than none.
  private static let activation = 0.2
  /// Blocks passed over without a reason that can be seen, as when the device has grown.
  private static let jump = 0.5

  /// A long transaction frees most of the blocks again that it takes.
  private static let sparsest = 0.1

  private let states: [PoolState]
  private let lineage: Lineage
  /// All index blocks, those of states no longer whole among them.
  private let indexBlocks: [UInt32]
  private var steps: [Step] = []

  /// `states`: ascending by index block.
  init(_ states: [PoolState], _ census: BlockCensus) {
    self.states = states
    lineage = Lineage(census.file)
    indexBlocks = census.indexBlocks
    for from in states.indices {
      for to in states.indices where to != from {
        if let strangeness = strangeness(from, to) {
          steps.append(Step(from: from, to: to, strangeness: strangeness))
        }
      }
    }
  }

  /// A lead this small over the next state leaves room for doubt.
  private static let clearLead = 0.3

  /// The state that a step leads to and from which none goes on, and whether it is so by a clear
  /// lead over all others.
  var newest: (state: PoolState, isClear: Bool)? {
    let scores = states.indices.map { (score: score($0), state: $0) }.sorted { $0 > $1 }
    guard let first = scores.first else { return nil }
    let lead = scores.count > 1 ? first.score - scores[1].score : .infinity
    return (states[first.state], lead >= StateOrder.clearLead)
  }

  private func score(_ state: Int) -> Double {
    let onward = steps.filter { $0.from == state }.map(\.strangeness).min()
    let hither = steps.filter { $0.to == state }.map(\.strangeness).min()
    let ends = min(onward ?? StateOrder.stranger, StateOrder.stranger)
    let follows = min(hither ?? StateOrder.stranger, StateOrder.stranger)
    return ends - follows - (isBehindOverwritten(state) ? 2 * StateOrder.stranger : 0)
  }

  /// Whether the line of states that leads to this one starts after a state of which something was
  /// overwritten: by a later line, then.
  private func isBehindOverwritten(_ state: Int) -> Bool {
    var head = state
    var seen: Set<Int> = [state]
    while let step = steps.filter({ $0.to == head && $0.strangeness < StateOrder.jump }).min(by: {
      $0.strangeness < $1.strangeness
    }),
      seen.insert(step.from).inserted
    {
      head = step.from
    }
    let place = indexBlocks.firstIndex(of: states[head].index) ?? 0
    let before = indexBlocks[place > 0 ? place - 1 : indexBlocks.count - 1]
    return !states.contains { $0.index == before }
  }

  /// How strange it would be if `to` were the next state after `from`; `nil` if it can't be.
  private func strangeness(_ from: Int, _ to: Int) -> Double? {
    guard let step = allocationStep(states[from], states[to]) else { return nil }
    let change = lineage.change(from: states[from], to: states[to])
    let foreign = 0.7 * min(1, Double(change.strayTails) / Double(max(1, change.changed)))
    let upheaval = Double(change.replaced) / Double(change.kept + 1)
    return min(step + foreign + min(upheaval, StateOrder.jump), 0.95 * StateOrder.stranger)
  }

  /// Whether the blocks that `to` has and `from` has not are those that a commit would take.
  private func allocationStep(_ from: PoolState, _ to: PoolState) -> Double? {
    let next = from.allocated.firstFree(from: from.index + 1) ?? 1
    let first = from.allocated.firstFree(from: 1) ?? 1
    let isNeighbour = indexOfNext(from.index) == to.index
    guard to.allocated.contains(next) || to.allocated.contains(first) || isNeighbour
    else { return nil }
    let new = to.allocated.subtracting(from.allocated)
    guard !new.isEmpty else { return nil }
    let ahead = new.filter { $0 > from.index }
    let behind = new.filter { $0 <= from.index }

    // On from the last commit, round the end of the device where need be.
    let inOrder = ahead + behind
    if inOrder[0] == next, endsWithIndex(inOrder, to.index),
      density(ahead, from.allocated) >= StateOrder.sparsest,
      density(behind, from.allocated) >= StateOrder.sparsest
    {
      return 0
    }
    if new[0] == first, endsWithIndex(new, to.index), density(new, from.allocated) >= 0.75 {
      return StateOrder.activation
    }
    if isNeighbour, behind.isEmpty, endsWithIndex(new, to.index) { return StateOrder.jump }
    return nil
  }

  private func indexOfNext(_ index: UInt32) -> UInt32? {
    states.first { $0.index > index }?.index
  }

  /// The index block is written last; little can be allocated after it.
  private func endsWithIndex(_ blocks: [UInt32], _ index: UInt32) -> Bool {
    blocks.suffix(4).contains(index)
  }

  /// Which part of the free blocks spanned was taken.
  private func density(_ blocks: [UInt32], _ before: BlockSet) -> Double {
    guard let first = blocks.first, let last = blocks.last else { return 1 }
    return Double(blocks.count) / Double(max(1, before.freeCount(from: first, through: last)))
  }
}
