package import PersistentData

/// What a repair of a cache brings back, and what it does not.
package struct CacheOutcome: Sendable {
  /// A block of mappings whose cache blocks are not known.
  package struct OpenPart: Sendable {
    package let block: MetadataBlock
    package let mappingCount: Int
  }

  /// Mappings that come back.
  package internal(set) var kept = 0
  /// Of these: those that are dirty, and those that are taken for dirty because their dirty bits
  /// are lost.
  package internal(set) var dirty = 0
  package internal(set) var takenForDirty = 0
  /// Mappings that make no sense, and those of origin blocks that two cache blocks hold.
  package internal(set) var impossible: [ClosedRange<UInt64>] = []
  package internal(set) var contested: [ClosedRange<UInt64>] = []
  /// Cache blocks whose mappings are lost.
  package internal(set) var lost: [ClosedRange<UInt64>] = []
  /// Blocks of mappings without a place.
  package internal(set) var openParts: [OpenPart] = []
  /// Array blocks that were found though the index doesn't lead to them.
  package internal(set) var placedBlocks: [ArrayPlacement.Evidence: Int] = [:]
  /// Other states that may be the newest: what they don't agree on is contested.
  package internal(set) var otherStates = 0
  /// What the superblock said, where all else says otherwise.
  package internal(set) var cacheBlocksBefore: UInt32?
  package internal(set) var versionBefore: UInt32?
  package internal(set) var isRootFound = false
  /// Mappings that come back with their hints, and those whose hints are lost.
  package internal(set) var hints = 0
  package internal(set) var lostHints = 0
  /// Whether dirty bits contradict a clean shutdown, so that none was trusted.
  package internal(set) var isFlagContradicted = false

  /// Mappings that are known not to come back.
  package var leftOut: UInt64 {
    UInt64(openParts.reduce(0) { $0 + $1.mappingCount })
      + (impossible + contested).reduce(0) { $0 + UInt64($1.count) }
  }

  /// Mappings that are known of.
  package var known: UInt64 { UInt64(kept) + leftOut }

  /// Whether every mapping of the state that was found comes back.
  package var losesNothing: Bool { leftOut == 0 && lost.isEmpty }
}
