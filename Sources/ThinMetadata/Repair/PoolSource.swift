internal import PersistentData

/// Where a pool is read from, as often as need be.
struct PoolSource {
  let superblock: Superblock
  let read: (Superblock, RootChoice) -> PoolReading

  func read(choosing choice: RootChoice = RootChoice()) -> PoolReading {
    read(superblock, choice)
  }
}

extension PoolReading {
  /// Reads the pool again, and first frees the runs found before, which take much memory.
  mutating func readAgain(_ source: PoolSource, choosing choice: RootChoice = RootChoice()) {
    counts.keptRuns = KeptRuns()
    self = source.read(choosing: choice)
  }
}
