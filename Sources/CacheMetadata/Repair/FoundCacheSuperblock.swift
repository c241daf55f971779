internal import PersistentData

/// The superblock of a cache: as it stands, with a wrong bit or byte put right, or made anew.
struct FoundCacheSuperblock: Sendable {
  private(set) var superblock: CacheSuperblock
  private(set) var state = SuperblockState.sound
  /// Whether the clean flag is the cache's own.
  private(set) var isFlagKnown = true
  private(set) var findings = Findings()
  /// Superblocks of other states that may be the newest as well.
  private(set) var others: [CacheSuperblock] = []

  /// The most states that may be the newest that are compared.
  private static let maxStates = 16

  init(_ file: BlockFile, _ overrides: CacheOverrides) throws(CacheSalvageError) {
    let site = CacheReader.Structure.superblock
    let read = CacheSuperblock.read(.superblock, of: file, at: site, into: &findings)
    guard let found = read ?? CacheSuperblock.withRightByte(file, at: site) else {
      guard !file.hasSoundBlock(.superblock),
        let lost = LostCacheSuperblock(file, overrides), let first = lost.superblocks.first
      else { throw .nothingFound }
      guard lost.isExhaustive, lost.superblocks.count <= FoundCacheSuperblock.maxStates else {
        throw .newestStateUnknown(states: lost.otherStates + 1)
      }
      superblock = first
      others = Array(lost.superblocks.dropFirst())
      state = .remade
      isFlagKnown = false
      let missing = lost.missingNumbers(overrides)
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

extension CacheSuperblock {
  fileprivate mutating func override(_ overrides: CacheOverrides) {
    if let sectors = overrides.dataBlockSectors { dataBlockSectors = sectors }
    if let count = overrides.cacheBlockCount { cacheBlockCount = count }
    if let version = overrides.version { self.version = version }
    if let policy = overrides.policy { policyName = CacheSuperblock.paddedName(policy) }
  }

  /// What is certainly wrong, and can be given by the user.
  fileprivate var invalidNumbers: [CacheSalvageError.MissingNumber] {
    var invalid: [CacheSalvageError.MissingNumber] = []
    if !CacheSuperblock.isPossible(dataBlockSectors: dataBlockSectors) {
      invalid.append(.dataBlockSectors)
    }
    if !CacheSuperblock.versions.contains(version) { invalid.append(.version) }
    return invalid
  }

  private static func paddedName(_ name: String) -> [UInt8] {
    let bytes = Array(name.utf8.prefix(Layout.policyNameSize - 1))
    return bytes + Array(repeating: 0, count: Layout.policyNameSize - bytes.count)
  }
}
