package import PersistentData

extension Recovery {
  /// Writes new metadata to `output`: all that is left of the live state, and the device.
  ///
  /// Its mappings are written to leaves of their own, also where others have the same.
  package func restore(to output: BlockFile) throws(WriteError) {
    guard Superblock.isPossible(dataBlockSectors: pool.dataBlockSectors) else {
      throw .rejected("invalid data block size: \(pool.dataBlockSectors) sectors")
    }
    var events = InsertedDevice(device, keptRuns, into: try Restorer(output))
    try salvage.pool.replay(
      pool, liveDevices, into: &events, for: "writing the new metadata")
  }
}

/// A pool's events with one more device among them, where its id belongs.
private struct InsertedDevice: EntryEvents {
  private var restorer: Restorer
  private let device: DeviceHeader
  private let runs: [MappingRun]
  private var isWritten = false

  init(_ device: DeviceHeader, _ runs: [MappingRun], into restorer: Restorer) {
    self.restorer = restorer
    self.device = device
    self.runs = runs
  }

  mutating func begin(_ pool: PoolHeader) throws(WriteError) { try restorer.begin(pool) }

  mutating func beginShared(_ name: String) throws(WriteError) { try restorer.beginShared(name) }

  mutating func endShared() throws(WriteError) { try restorer.endShared() }

  mutating func beginDevice(_ next: DeviceHeader) throws(WriteError) {
    if next.id > device.id { try write() }
    try restorer.beginDevice(next)
  }

  mutating func endDevice() throws(WriteError) { try restorer.endDevice() }

  mutating func run(_ run: MappingRun) throws(WriteError) { try restorer.run(run) }

  mutating func entries(_ keys: Span<UInt64>, _ values: Span<UInt64>) throws(WriteError) {
    try restorer.entries(keys, values)
  }

  mutating func reference(_ name: String) throws(WriteError) { try restorer.reference(name) }

  mutating func end() throws(WriteError) {
    try write()
    try restorer.end()
  }

  private mutating func write() throws(WriteError) {
    if isWritten { return }
    isWritten = true
    try restorer.beginDevice(device)
    for run in runs { try restorer.run(run) }
    try restorer.endDevice()
  }
}
