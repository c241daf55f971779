/// What only a superblock knows of an era device, as a person gives it where the superblock is
/// lost.
package struct EraOverrides: Sendable {
  package var dataBlockSectors: UInt32?
  package var blockCount: UInt32?
  package var currentEra: UInt32?

  package init() {}
}

/// Why nothing can be had of era metadata.
package enum EraSalvageError: Error {
  /// Neither a superblock nor anything else of an era device.
  case nothingFound
  /// The superblock is lost, and what it alone knew was not given.
  case numbersMissing([MissingNumber])
  /// The superblock says what no era device can have, and nothing better was given.
  case numbersInvalid([MissingNumber])

  /// What has to be given then.
  package enum MissingNumber: Hashable, Sendable {
    case dataBlockSectors, blockCount, currentEra
  }
}
