/// What only a superblock knows of a cache, as a person gives it where the superblock is lost.
package struct CacheOverrides: Sendable {
  package var dataBlockSectors: UInt32?
  package var cacheBlockCount: UInt32?
  package var policy: String?
  package var version: UInt32?

  package init() {}
}

/// Why nothing can be had of cache metadata.
package enum CacheSalvageError: Error {
  /// Neither a superblock nor anything else of a cache.
  case nothingFound
  /// The superblock is lost, and so many states are left of which each may be the newest.
  case newestStateUnknown(states: Int)
  /// The superblock is lost, and what it alone knew was not given.
  case numbersMissing([MissingNumber])
  /// The superblock says what no cache can have, and nothing better was given.
  case numbersInvalid([MissingNumber])

  /// What has to be given then.
  package enum MissingNumber: Hashable, Sendable {
    case dataBlockSectors, cacheBlockCount, policy, version
  }
}
