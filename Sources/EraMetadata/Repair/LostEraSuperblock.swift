internal import PersistentData

/// An era device whose superblock is lost, found by its other blocks.
struct LostEraSuperblock: Sendable {
  /// The superblock of the newest state. What only the superblock knew is 0.
  let superblock: EraSuperblock
  /// Whether the current era follows from the writesets: eras follow each other without a gap.
  let isEraKnown: Bool

  /// How many states are compared with all writes that are known.
  private static let maxTried = 16

  /// `nil` if nothing is left of an era device.
  init?(_ file: BlockFile, _ overrides: EraOverrides) throws(EraSalvageError) {
    let census = StateCensus(ofEra: file)
    var arrays = SharedArrays(file)
    var states: [EraState] = []
    let search = StateSearch(census)
    for state in search.states {
      if let state = EraState(state, in: file, census.blockCount, &arrays) {
        states.append(state)
      }
    }
    if states.isEmpty { return nil }
    guard search.isExhaustive, let state = LostEraSuperblock.newest(of: states, in: file) else {
      throw .newestStateUnknown(states: states.count)
    }
    superblock = state.superblock(file, overrides)
    isEraKnown = state.eras != nil
  }

  /// The state that has come farthest of those that know of every write that any state knows of. If
  /// none is intact, it is the one that has come farthest of all, or it isn't known.
  private static func newest(of states: [EraState], in file: BlockFile) -> EraState? {
    var possible = states.filter(\.isConsistent)
    possible.sort { $1.age.lexicographicallyPrecedes($0.age) }
    let writes = KnownWrites(possible, in: file)
    let tried =
      possible.filter(\.isIntact).prefix(maxTried) + possible.prefix(1).filter { !$0.isIntact }
    return tried.first(where: writes.areKnown)
  }
}

extension StateCensus {
  init(ofEra file: BlockFile) {
    self.init(file) { bytes, block in
      switch BlockKind(of: bytes) {
      case .btreeNode:
        BTreeNode(bytes).blockReferences(
          in: block, pointer: (valueSize: Writeset.Layout.size, field: Writeset.Layout.root))
      case .array: ArrayBlock(bytes).block == UInt64(block.number) ? [] : nil
      // The copy that a metadata snapshot keeps, with its own two roots.
      case .eraSuperblock:
        [EraSuperblock(bytes).writesetRoot, EraSuperblock(bytes).eraArrayRoot]
      default: nil
      }
    }
  }
}
