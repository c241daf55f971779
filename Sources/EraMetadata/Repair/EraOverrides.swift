/// What only a superblock knows of an era device, as given by the user.
package struct EraOverrides: Sendable {
  package var dataBlockSectors: UInt32?
  package var blockCount: UInt32?
  package var currentEra: UInt32?

  package init() {}
}

/// Why nothing can be salvaged from era metadata.
package enum EraSalvageError: Error {
  /// Neither a superblock nor anything else of an era device.
  case nothingFound
  /// The superblock is lost, and nothing tells which of this many states is the newest.
  case newestStateUnknown(states: Int)
  /// The superblock is lost, and what it alone knew was not given.
  case numbersMissing([MissingNumber])
  /// The superblock says what no era device can have, and the user gave nothing better.
  case numbersInvalid([MissingNumber])

  /// What has to be given then.
  package enum MissingNumber: Hashable, Sendable {
    case dataBlockSectors, blockCount, currentEra
  }
}
