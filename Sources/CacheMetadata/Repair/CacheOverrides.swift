/// What only a superblock knows of a cache, as given by the user.
package struct CacheOverrides: Sendable {
  package var dataBlockSectors: UInt32?
  package var cacheBlockCount: UInt32?
  package var policy: String?
  package var version: UInt32?

  package init() {}
}

/// Why nothing can be salvaged from cache metadata.
package enum CacheSalvageError: Error {
  /// Neither a superblock nor anything else of a cache.
  case nothingFound
  /// The superblock is lost, and each of this many states may be the newest.
  case newestStateUnknown(states: Int)
  /// The superblock is lost, and what it alone knew was not given.
  case numbersMissing([MissingNumber])
  /// The superblock says what no cache can have, and the user gave nothing better.
  case numbersInvalid([MissingNumber])

  /// What has to be given then.
  package enum MissingNumber: Hashable, Sendable {
    case dataBlockSectors, cacheBlockCount, policy, version
  }
}
