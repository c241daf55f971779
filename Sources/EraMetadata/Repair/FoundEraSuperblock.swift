internal import PersistentData

/// The superblock of an era device: as it stands, with a wrong bit or byte put right, or made anew.
struct FoundEraSuperblock: Sendable {
  private(set) var superblock: EraSuperblock
  private(set) var state = SuperblockState.sound
  private(set) var findings = Findings()

  init(_ file: BlockFile, _ overrides: EraOverrides) throws(EraSalvageError) {
    let site = EraReader.Structure.superblock
    let read = EraSuperblock.read(.superblock, of: file, at: site, into: &findings)
    guard let found = read ?? EraSuperblock.withRightByte(file, at: site) else {
      guard !file.hasSoundBlock(.superblock), let lost = try LostEraSuperblock(file, overrides)
      else { throw .nothingFound }
      superblock = lost.superblock
      state = .remade
      var missing: [EraSalvageError.MissingNumber] = []
      if superblock.dataBlockSectors == 0 { missing.append(.dataBlockSectors) }
      if !lost.isEraKnown, overrides.currentEra == nil { missing.append(.currentEra) }
      guard missing.isEmpty else { throw .numbersMissing(missing) }
      let invalid = superblock.invalidNumbers
      guard invalid.isEmpty else { throw .numbersInvalid(invalid) }
      return
    }
    superblock = found
    if findings.worst == .error { state = .corrected }
    superblock.check(home: .superblock, at: site, into: &findings)
    superblock.override(overrides)
    let invalid = superblock.invalidNumbers
    guard invalid.isEmpty else { throw .numbersInvalid(invalid) }
  }
}

extension EraSuperblock {
  fileprivate mutating func override(_ overrides: EraOverrides) {
    if let sectors = overrides.dataBlockSectors { dataBlockSectors = sectors }
    if let count = overrides.blockCount { blockCount = count }
    if let era = overrides.currentEra { currentEra = max(currentEra, era) }
  }

  /// What is certainly wrong, and can be given by the user.
  fileprivate var invalidNumbers: [EraSalvageError.MissingNumber] {
    var invalid: [EraSalvageError.MissingNumber] = []
    if dataBlockSectors == 0 || dataBlockSectors % EraSuperblock.dataBlockSectorsUnit != 0 {
      invalid.append(.dataBlockSectors)
    }
    if blockCount > EraSuperblock.blockCountMaximum { invalid.append(.blockCount) }
    return invalid
  }
}
