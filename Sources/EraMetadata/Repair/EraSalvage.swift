package import PersistentData

/// Everything that can be salvaged from damaged era metadata, found but not yet written.
///
/// It never says that a block was last written in an earlier era than it was: what is lost is taken
/// for the latest that it can have been, so that a backup reads too much rather than too little.
package struct EraSalvage: Sendable {
  package let header: EraHeader
  /// What happened to the superblock.
  package let superblockState: SuperblockState
  /// What is wrong with what was read.
  package let findings: Findings
  package internal(set) var outcome: EraOutcome
  /// Whether everything comes back as it was. Without a superblock there may have been a newer
  /// state.
  package var isWhole: Bool { outcome.losesNothing && superblockState != .remade }

  let file: BlockFile
  var eraArray: StoredArray
  /// The highest value that can be read in it.
  let highest: UInt32
  let openParts: [ArrayCensus.Part]
  let writesets: [SalvagedWriteset]
  /// The era in which all blocks count as written.
  let fullEra: UInt64?
  /// The highest value that a lost block can have had.
  let bound: UInt32

  /// Reads what is there; nothing is ever written to `file`.
  package init(
    _ file: BlockFile, overriding overrides: EraOverrides = EraOverrides()
  ) throws(EraSalvageError) {
    let found = try FoundEraSuperblock(file, overrides)
    let believed = BelievedEraSuperblock(
      found.superblock, isRemade: found.state == .remade, overrides, in: file)
    var evidence = EraEvidence(file, believed.superblock, found.findings)
    evidence.gather()
    let superblock = evidence.superblock
    self.file = file
    superblockState = found.state
    header = EraHeader(
      dataBlockSectors: superblock.dataBlockSectors, blockCount: superblock.blockCount,
      currentEra: superblock.currentEra)
    findings = evidence.findings
    outcome = evidence.outcome
    outcome.blockCountBefore = believed.blockCountBefore
    outcome.isRootFound = believed.isRootFound
    eraArray = evidence.eraArray
    highest = evidence.highest
    openParts = evidence.openParts
    writesets = evidence.writesets
    fullEra = evidence.fullEra
    bound = evidence.bound
    survey()
  }
}
