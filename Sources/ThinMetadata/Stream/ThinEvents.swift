internal import PersistentData

/// A pool's own numbers, apart from its devices: the `superblock` element of a dump.
package struct PoolHeader: Hashable, Sendable {
  package var uuid = ""
  package var time: UInt32
  package var transactionID: UInt64
  package var needsCheck = false
  package var version: UInt32 = 2
  /// Sectors in a data block.
  package var dataBlockSectors: UInt32
  /// Blocks on the data device.
  package var dataBlockCount: UInt64

  package init(
    time: UInt32, transactionID: UInt64, dataBlockSectors: UInt32, dataBlockCount: UInt64
  ) {
    self.time = time
    self.transactionID = transactionID
    self.dataBlockSectors = dataBlockSectors
    self.dataBlockCount = dataBlockCount
  }
}

/// A thin device's id and details: the `device` element of a dump.
package struct DeviceHeader: Hashable, Sendable {
  package var id: UInt64
  package var details: DeviceDetails

  package init(id: UInt64, details: DeviceDetails) {
    self.id = id
    self.details = details
  }
}

/// A pool as a stream, in this order: the pool, then shared runs and devices. Devices ascend,
/// except those of XML, which may come in any order.
///
/// Dump and repair make these events from metadata, `ThinXMLReader` makes them from XML; writers
/// of XML and of text consume them, and so does `Restorer`. A shared run comes before the first
/// device that refers to it.
package protocol ThinEvents: ~Copyable {
  associatedtype Failure: Error

  mutating func begin(_ pool: PoolHeader) throws(Failure)
  /// Mappings that several devices have, under a name.
  mutating func beginShared(_ name: String) throws(Failure)
  mutating func endShared() throws(Failure)
  mutating func beginDevice(_ device: DeviceHeader) throws(Failure)
  mutating func endDevice() throws(Failure)
  /// Mappings of the shared run or device begun last; ascending.
  mutating func run(_ run: MappingRun) throws(Failure)
  /// The mappings of a shared run, as part of the device begun last.
  mutating func reference(_ name: String) throws(Failure)
  mutating func end() throws(Failure)
}

/// Events that can have single mappings besides runs, from which metadata is made faster.
package protocol EntryEvents: ThinEvents, ~Copyable {
  /// Mappings of the shared run or device begun last, at least one: virtual blocks, ascending,
  /// and for each what the tree stores for it (`Mapping.value`); both little-endian, as on disk.
  mutating func entries(_ keys: Span<UInt64>, _ values: Span<UInt64>) throws(Failure)
}

/// What the user says about the pool, overriding what its metadata says.
package struct PoolOverrides: Sendable {
  package var dataBlockSectors: UInt32?
  /// At least this many.
  package var dataBlockCount: UInt64?
  package var transactionID: UInt64?

  package init() {}

  /// The numbers of blocks and transactions are raised, never lowered.
  package func apply(to pool: inout PoolHeader) {
    if let dataBlockSectors { pool.dataBlockSectors = dataBlockSectors }
    if let dataBlockCount { pool.dataBlockCount = max(pool.dataBlockCount, dataBlockCount) }
    if let transactionID { pool.transactionID = max(pool.transactionID, transactionID) }
  }
}
