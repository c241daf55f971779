internal import PersistentData

/// What generated era metadata looks like.
package struct EraShape: Hashable, Sendable {
  /// Sectors in a block.
  package var dataBlockSectors: UInt32 = 128
  /// Blocks of the origin.
  package var blockCount: UInt32 = 10_240
  package var currentEra: UInt32 = 32
  /// Archived writesets, the last of which is that of the current era.
  package var writesets: UInt32 = 2
  /// How many of a million blocks were written in each of these eras, and before them.
  package var writtenPerMillion: UInt64 = 100_000
  /// Blocks in the longest run that is written at once.
  package var longestRun: UInt64 = 32
  package var seed: UInt64 = 1

  private static let million: UInt64 = 1_000_000

  package init() {}

  /// Blocks written in an era.
  var writtenBlocks: UInt64 { UInt64(blockCount) * writtenPerMillion / EraShape.million }

  /// What is wrong with the numbers, as a sentence; `nil` when there can be such metadata.
  package var problem: String? {
    let unit = EraSuperblock.dataBlockSectorsUnit
    guard dataBlockSectors > 0, dataBlockSectors % unit == 0 else {
      return "the block size is a multiple of \(unit) sectors"
    }
    guard blockCount <= EraSuperblock.blockCountMaximum else {
      return "an origin has \(EraSuperblock.blockCountMaximum) blocks at most"
    }
    guard writesets <= currentEra else {
      return "there can't be more writesets than eras: the first is era 1"
    }
    guard writtenPerMillion <= EraShape.million else {
      return "no more than 100 percent can be written"
    }
    guard longestRun > 0 else { return "a run has at least 1 block" }
    return nil
  }
}
