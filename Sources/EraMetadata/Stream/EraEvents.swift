/// The numbers of era metadata, apart from writesets and eras: the `superblock` element of a dump.
package struct EraHeader: Hashable, Sendable {
  package var uuid = ""
  package var dataBlockSectors: UInt32
  /// Blocks of the origin.
  package var blockCount: UInt32
  package var currentEra: UInt32

  package init(dataBlockSectors: UInt32, blockCount: UInt32, currentEra: UInt32) {
    self.dataBlockSectors = dataBlockSectors
    self.blockCount = blockCount
    self.currentEra = currentEra
  }
}

/// Era metadata as a stream of events, in the order of a dump: a dump and the XML reader emit them,
/// the XML writer and the restorer consume them.
///
/// `begin`, then for each writeset, ascending by era, `beginWriteset`, the ranges of blocks that
/// are set, ascending, `endWriteset`; then `beginEraArray`, the era of each block from 0 on,
/// `endEraArray`, `end`.
package protocol EraEvents: ~Copyable {
  associatedtype Failure: Error

  mutating func begin(_ header: EraHeader) throws(Failure)
  mutating func beginWriteset(era: UInt64, bitCount: UInt32) throws(Failure)
  mutating func marked(_ blocks: Range<UInt64>) throws(Failure)
  mutating func endWriteset() throws(Failure)
  mutating func beginEraArray() throws(Failure)
  mutating func era(_ era: UInt32, of block: UInt64) throws(Failure)
  /// The same for several blocks, from `first` on.
  mutating func eras(_ eras: [UInt32], from first: UInt64) throws(Failure)
  mutating func endEraArray() throws(Failure)
  mutating func end() throws(Failure)
}

extension EraEvents where Self: ~Copyable {
  package mutating func eras(_ eras: [UInt32], from first: UInt64) throws(Failure) {
    for (index, era) in eras.enumerated() { try self.era(era, of: first + UInt64(index)) }
  }
}
