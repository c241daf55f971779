internal import PersistentData

/// A pool as one walk found it.
struct PoolReading {
  var reader: PoolReader
  /// Counted on the way: references to data blocks by everything that can be read.
  var counts: RefCounts
  /// Where the stored counts of data blocks differ from these; `nil` if they weren't compared.
  var dataDifferences: CountDifferences?

  /// Reads the pool again, and first frees the runs found before, which take much memory.
  mutating func readAgain(
    _ source: PoolSource, choosing choice: RootChoice = RootChoice()
  ) {
    reader.keptRuns = KeptRuns()
    self = source.read(choosing: choice)
  }
}

/// Where a pool is read from, as often as need be.
struct PoolSource {
  let superblock: Superblock
  let read: (Superblock, RootChoice) -> (PoolReader, RefCounts)

  func read(choosing choice: RootChoice = RootChoice()) -> PoolReading {
    let (reader, counts) = read(superblock, choice)
    return PoolReading(reader: reader, counts: counts)
  }
}
