internal import PersistentData

/// Tells which of several states of a pool is the newest. Nothing on disk carries a date, so it is
/// inferred from how kernels write:
///
/// - A commit takes the next free blocks after those of the commit before, or the first free ones
///   after an activation, and the index block last of all. So a state shows where the next one
///   would have been written.
/// - A changed node starts as a copy of the old one, bytes beyond its last entry included. So what
///   stands there tells which of two states came out of the other.
/// - Times and transaction ids of devices only grow. Where they differ, the order is certain.
///
/// States that followed each other make a line. Nothing came between them, so if one of a line is
/// older than one of another line, all are.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-metadata.c, `sm_metadata_new_block`.
struct StateOrder {
  /// From one state to the next.
  private struct Step {
    let from: Int
    let to: Int
    /// How far it is from what a kernel would do; 0 is usual.
    let distance: Double
    /// How many blocks the index went on.
    let blocks: Int
  }

  /// The distance where there is no step: more than that of any possible step.
  private static let unrelated = 1.0
  /// The distance of an activation between two commits: it is rarer than none.
  private static let activation = 0.2
  /// The distance of blocks skipped for no visible reason, as when the device has grown. What is
  /// farther apart may be unrelated.
  private static let jump = 0.5
  /// A lead this small leaves room for doubt.
  private static let clearLead = 0.3

  /// After an activation, nearly all free blocks from the beginning on are taken.
  private static let densityAfterActivation = 0.75

  private let states: [PoolState]
  private let lineage: Lineage

  /// The newest state, and whether there is no doubt about that; `nil` without states.
  private(set) var newest: (state: PoolState, isClear: Bool)?

  /// `states`: ascending by index block.
  init(_ states: [PoolState], _ census: BlockCensus) {
    self.states = states
    lineage = Lineage(census.file)
    var steps: [Step] = []
    for from in states.indices {
      for to in states.indices where to != from {
        guard let distance = distance(from, to) else { continue }
        let blocks = states[to].index.index - states[from].index.index
        steps.append(
          Step(
            from: from, to: to, distance: distance,
            blocks: blocks > 0 ? blocks : blocks + Int(census.blockCount)))
      }
    }
    steps.sort { ($0.distance, $0.blocks) < ($1.distance, $1.blocks) }
    var lines = StateLines(count: states.count, RecordOrder(states, census))
    func join(_ steps: some Sequence<Step>) {
      for step in steps { lines.join(step.from, to: step.to, distance: step.distance) }
    }
    let isFar = steps.firstIndex { $0.distance > StateOrder.jump } ?? steps.count
    join(steps[..<isFar])
    let ends = lines.ends()
    if ends.count == 1, lines.isExhaustive {
      let (end, head) = (ends[0], lines.head(of: ends[0]))
      let closing = steps.first { $0.from == end && $0.to == head }?.distance
      let lead = lines.lead(of: end, over: closing ?? StateOrder.unrelated)
      newest = (states[end], lead >= StateOrder.clearLead)
      return
    }
    // If blocks of a state between two others were overwritten, a later line did that.
    join(
      steps[isFar...].filter { step in
        let (from, to) = (states[step.from].index, states[step.to].index)
        return to < from || census.nextIndexBlock(after: from) == to
      })
    // An activation starts again from the beginning: the lowest line is the last one.
    newest = (lines.ends().first ?? states.indices.last).map { (states[$0], false) }
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

extension BlockCensus {
  fileprivate func nextIndexBlock(after block: MetadataBlock) -> MetadataBlock? {
    let next = indexBlocks.firstIndex(from: block.next)
    return next < indexBlocks.count ? indexBlocks[next] : nil
  }
}
