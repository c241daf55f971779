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
  /// From one state to the next.
  private struct Step {
    let from: Int
    let to: Int
    /// How far it is from what a kernel would do; 0 is usual.
    let distance: Double
  }

  /// The distance where there is no step: more than that of any possible step.
  private static let unrelated = 1.0
  /// The distance of an activation between two commits: it is rarer than none.
  private static let activation = 0.2
  /// The distance of blocks skipped for no visible reason, as when the device has grown.
  private static let jump = 0.5

  /// After an activation, nearly all free blocks from the beginning on are taken.
  private static let densityAfterActivation = 0.75

  private let states: [PoolState]
  private let lineage: Lineage
  /// All index blocks, those of states no longer whole among them.
  private let indexBlocks: [MetadataBlock]
  private var steps: [Step] = []

  /// `states`: ascending by index block.
  init(_ states: [PoolState], _ census: BlockCensus) {
    self.states = states
    lineage = Lineage(census.file)
    indexBlocks = census.indexBlocks
    for from in states.indices {
      for to in states.indices where to != from {
        if let distance = distance(from, to) {
          steps.append(Step(from: from, to: to, distance: distance))
        }
      }
    }
  }

  /// A lead this small over the next state leaves room for doubt.
  private static let clearLead = 0.3

  /// The state that a step leads to but none leads on from, and whether it has a clear lead over
  /// all others.
  var newest: (state: PoolState, isClear: Bool)? {
    let scores = states.indices.map { (score: score($0), state: $0) }.sorted { $0 > $1 }
    guard let first = scores.first else { return nil }
    let lead = scores.count > 1 ? first.score - scores[1].score : .infinity
    return (states[first.state], lead >= StateOrder.clearLead)
  }

  private func score(_ state: Int) -> Double {
    func shortest(_ isWanted: (Step) -> Bool) -> Double {
      min(steps.filter(isWanted).map(\.distance).min() ?? .infinity, StateOrder.unrelated)
    }
    return shortest { $0.from == state } - shortest { $0.to == state }
      - (isBehindOverwritten(state) ? 2 * StateOrder.unrelated : 0)
  }

  /// Whether the line of states that leads to this one starts after a partly overwritten state:
  /// then a later line overwrote that.
  private func isBehindOverwritten(_ state: Int) -> Bool {
    var head = state
    var seen: Set<Int> = [state]
    func usualStep(to state: Int) -> Step? {
      steps.filter { $0.to == state && $0.distance < StateOrder.jump }
        .min { $0.distance < $1.distance }
    }
    while let step = usualStep(to: head), seen.insert(step.from).inserted { head = step.from }
    let index = indexBlocks.firstIndex(of: states[head].index) ?? 0
    let before = indexBlocks[index > 0 ? index - 1 : indexBlocks.count - 1]
    return !states.contains { $0.index == before }
  }

  /// How unusual it is for `to` to be the next state after `from`; `nil` if it can't be.
  private func distance(_ from: Int, _ to: Int) -> Double? {
    guard let step = allocationStep(states[from], states[to]) else { return nil }
    let change = lineage.change(from: states[from], to: states[to])
    let foreign = 0.7 * min(1, Double(change.strayTails) / Double(max(1, change.changed)))
    let upheaval = Double(change.replaced) / Double(change.kept + 1)
    return min(step + foreign + min(upheaval, StateOrder.jump), 0.95 * StateOrder.unrelated)
  }

  /// How far the blocks that only `to` has are from those a commit would take; `nil` if too far.
  private func allocationStep(_ from: PoolState, _ to: PoolState) -> Double? {
    let isNeighbour = indexOfNext(from.index) == to.index
    let firstFree = [from.allocated.firstFree(from: from.index.next), from.allocated.firstFree]
    guard isNeighbour || firstFree.contains(where: { $0.map(to.allocated.contains) ?? false })
    else { return nil }
    let new = to.allocated.subtracting(from.allocated)
    guard let first = new.first else { return nil }
    if from.allocated.canBeFollowed(by: new, after: from.index, endingWith: to.index) { return 0 }
    guard AllocatedBlocks.canEnd(new, with: to.index) else { return nil }
    let isDense = from.allocated.density(of: new) >= StateOrder.densityAfterActivation
    if first == from.allocated.firstFree, isDense { return StateOrder.activation }
    return isNeighbour && first > from.index ? StateOrder.jump : nil
  }

  private func indexOfNext(_ index: MetadataBlock) -> MetadataBlock? {
    states.first { $0.index > index }?.index
  }
}
