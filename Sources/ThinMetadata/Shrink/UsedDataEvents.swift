package import PersistentData

/// Finds out which data blocks the pool of some XML uses, and whether its events make sense.
package final class UsedDataEvents: ThinEvents {
  package typealias Failure = WriteError

  /// A bit for each block; a gibibyte for the largest pool, of 512 TiB in the smallest blocks.
  private static let maxBlocks: UInt64 = 1 << 33

  private var rules = PoolRules()
  private let dataBytes: UInt64
  /// What the XML says of the pool.
  package private(set) var header: PoolHeader?
  /// Whether the pool takes more than the data device has.
  package private(set) var isLargerThanDevice = false
  package private(set) var used = Bitset(bitCount: 0)

  /// `dataBytes`: what the data device has, where that matters.
  package init(dataBytes: UInt64) { self.dataBytes = dataBytes }

  package func begin(_ pool: PoolHeader) throws(WriteError) {
    try rules.begin(pool)
    header = pool
    let bytes = pool.dataBlockCount.multipliedReportingOverflow(
      by: UInt64(pool.dataBlockSectors) * 512)
    guard !bytes.overflow, bytes.partialValue <= dataBytes else {
      isLargerThanDevice = true
      throw .rejected("the pool is larger than its data device")
    }
    guard pool.dataBlockCount <= UsedDataEvents.maxBlocks else {
      throw .rejected(
        "a pool of more than \(UsedDataEvents.maxBlocks) data blocks can't be made smaller here")
    }
    used = Bitset(bitCount: Int(pool.dataBlockCount))
  }

  package func beginShared(_ name: String) throws(WriteError) { try rules.beginShared(name) }
  package func endShared() { rules.endShared() }

  package func beginDevice(_ device: DeviceHeader) throws(WriteError) {
    try rules.beginDevice(device)
  }

  package func endDevice() { rules.endDevice() }

  package func run(_ run: MappingRun) throws(WriteError) {
    try rules.run(run)
    used.set(run.dataBegin...run.dataBegin + (run.length - 1))
  }

  package func reference(_ name: String) throws(WriteError) { try rules.reference(name) }
  package func end() throws(WriteError) { try rules.end() }
}
