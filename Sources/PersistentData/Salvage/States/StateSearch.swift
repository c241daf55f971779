/// The states that a device still holds of its metadata, and which of them is the newest.
///
/// Nothing on disk carries a date. It is inferred from how kernels write: a state after which no
/// other can have been committed is the newest. Where states go round the device in a ring, that
/// can't be told from this alone.
package struct StateSearch: Sendable {
  /// As many states are compared as this many bytes can tell the allocated blocks of.
  private static let memory: UInt64 = 64 << 20
  private static let maxStates: UInt64 = 2048
  /// So many times as much as any other step has to change what stands out.
  private static let clearLead = 4

  /// By index block.
  package let states: [MetadataState]
  /// States that may be the newest, as far as this can be told; all, where nothing can.
  package let candidates: [MetadataState]
  /// Whether every index block on the device was looked at.
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
    // Damage that was met in one is met in those around it, too: the newest need not be whole.
    let ends = states.filter { state in
      !states.contains { $0.index != state.index && state.canPrecede($0) }
    }
    candidates = ends.isEmpty ? StateSearch.ends(ofRing: states) : ends
  }

  /// States that follow each other all round the device: from one to the next there is little that
  /// changes, but from the newest to the oldest. All of them, where no step stands out.
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
