package import PersistentData

/// What a repair of era metadata brings back, and which eras it assumes where they are lost.
package struct EraOutcome: Sendable {
  /// Blocks of the origin whose value in the era array comes back.
  package internal(set) var kept: UInt64 = 0
  /// Blocks whose value is lost: they get the highest that it can have been.
  package internal(set) var lostBlocks: [ClosedRange<UInt64>] = []
  /// That value, or the highest of several.
  package internal(set) var lostBlocksEra: UInt32 = 0
  /// Values that no block can have; each is replaced by the highest that there can be.
  package internal(set) var impossible: UInt64 = 0
  /// Writesets that come back whole.
  package internal(set) var keptWritesets = 0
  /// Eras whose writesets are partly lost: lost parts count as written.
  package internal(set) var lostWritesets: [UInt64] = []
  /// Eras whose writesets are lost, merged into one: all was written in the last of them.
  package internal(set) var lostEras: ClosedRange<UInt64>?
  /// Writesets that add nothing to the one that stands for lost eras.
  package internal(set) var supersededWritesets = 0
  /// Array blocks that were found though the index doesn't lead to them.
  package internal(set) var placedBlocks: [ArrayPlacement.Evidence: Int] = [:]
  /// The superblock's current era, where it was too low for everything else.
  package internal(set) var raisedFrom: UInt32?
  /// The superblock's number of blocks, where the era array has another.
  package internal(set) var blockCountBefore: UInt32?
  /// Whether the superblock led elsewhere, and trees were found by the space map.
  package internal(set) var isRootFound = false

  /// Whether all that is in the state that was found comes back as it was.
  package var losesNothing: Bool {
    lostBlocks.isEmpty && impossible == 0 && lostWritesets.isEmpty && lostEras == nil
      && raisedFrom == nil && blockCountBefore == nil
  }
}
