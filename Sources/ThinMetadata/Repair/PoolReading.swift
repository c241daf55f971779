internal import PersistentData

/// A pool as one walk found it.
struct PoolReading {
  var reader: PoolReader
  /// Counted on the way: references to data blocks by everything that can be read.
  var counts: RefCounts
  /// Where the stored counts of data blocks are others than these; `nil` where nobody has looked.
  var dataDifferences: CountDifferences?

  /// Takes the place of what was found before, whose runs take much room.
  mutating func readAgain(
    _ source: PoolSource, choosing choice: RootChoice = RootChoice()
  ) throws(IOError) {
    reader.keptRuns = KeptRuns()
    self = try source.read(choosing: choice)
  }
}

/// Where a pool is read from, as often as need be.
struct PoolSource {
  let superblock: Superblock
  let read: (Superblock, RootChoice) throws(IOError) -> (PoolReader, RefCounts)

  func read(choosing choice: RootChoice = RootChoice()) throws(IOError) -> PoolReading {
    let (reader, counts) = try read(superblock, choice)
    return PoolReading(reader: reader, counts: counts)
  }
}
