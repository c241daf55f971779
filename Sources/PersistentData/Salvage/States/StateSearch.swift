/// The states that a device still holds of its metadata, and which of them is the newest.
///
/// Nothing on disk carries a date, so the order is inferred from how kernels write: a state that no
/// other can have followed is the newest. If the states form a ring around the device, this alone
/// isn't enough.
package struct StateSearch: Sendable {
  /// Bytes for the bitsets of allocated blocks; limits how many states are compared.
  private static let memory: UInt64 = 64 << 20
  private static let maxStates: UInt64 = 2048
  /// A step stands out if it changes this many times as much as any other.
  private static let clearLead = 4

  /// By index block.
  package let states: [MetadataState]
  /// Whether every index block on the device was examined.
  package let isExhaustive: Bool

  package init(_ census: StateCensus) {
    let size = max(1, census.blockCount / 8)
    let limit = Int(min(StateSearch.maxStates, max(4, StateSearch.memory / size)))
    var states: [MetadataState] = []
    for index in census.indexBlocks {
      guard states.count < limit else { break }
      if let state = MetadataState(census, index: index) { states.append(state) }
    }
    isExhaustive = states.count < limit
    self.states = states
  }

  /// States that may be the newest; all of them if nothing can be told.
  package var candidates: [MetadataState] {
    // Damage in one state is in its neighbours, too, so the newest need not be whole.
    let ends = states.filter { state in
      !states.contains { $0.index != state.index && state.canPrecede($0) }
    }
    return ends.isEmpty ? StateSearch.ends(ofRing: states) : ends
  }

  /// The newest of states that follow each other all around the device: little changes from one to
  /// the next, except from the newest to the oldest. Returns all if no step stands out.
  private static func ends(ofRing states: [MetadataState]) -> [MetadataState] {
    let changes = states.indices.map { index in
      states[(index + 1) % states.count].allocated.subtracting(states[index].allocated).count
    }
    guard let largest = changes.max(), let index = changes.firstIndex(of: largest) else {
      return states
    }
    let next = changes.enumerated().filter { $0.offset != index }.map(\.element).max() ?? 0
    return largest >= clearLead * next ? [states[index]] : states
  }
}
