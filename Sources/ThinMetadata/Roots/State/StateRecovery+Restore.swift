package import PersistentData

extension StateRecovery {
  /// Writes new metadata to `output`: all that is left of the live state, and the devices.
  package func restore(to output: BlockFile) throws(WriteError) {
    guard Superblock.isPossible(dataBlockSectors: pool.dataBlockSectors) else {
      throw .rejected("invalid data block size: \(pool.dataBlockSectors) sectors")
    }
    var events = InsertedDevices(self, into: try Restorer(output))
    try salvage.pool.replay(
      pool, liveDevices, into: &events, for: "writing the new metadata")
  }
}

/// A pool's events with more devices inserted where their ids belong, and what these share before
/// all others.
private struct InsertedDevices: EntryEvents {
  private var restorer: Restorer
  private let recovery: StateRecovery
  private let shared: Set<MetadataBlock>
  private var next = 0

  init(_ recovery: StateRecovery, into restorer: Restorer) {
    self.restorer = restorer
    self.recovery = recovery
    shared = Set(recovery.shared)
  }

  mutating func begin(_ pool: PoolHeader) throws(WriteError) {
    try restorer.begin(pool)
    for leaf in recovery.shared {
      try restorer.beginShared(InsertedDevices.name(leaf))
      for run in recovery.contents.leaves[leaf]?.kept ?? [] { try restorer.run(run) }
      try restorer.endShared()
    }
  }

  /// The live state's shared runs are named after the block of a leaf too.
  private static func name(_ leaf: MetadataBlock) -> String { "old \(leaf)" }

  mutating func beginShared(_ name: String) throws(WriteError) { try restorer.beginShared(name) }

  mutating func endShared() throws(WriteError) { try restorer.endShared() }

  mutating func beginDevice(_ device: DeviceHeader) throws(WriteError) {
    try write(below: device.id)
    try restorer.beginDevice(device)
  }

  mutating func endDevice() throws(WriteError) { try restorer.endDevice() }

  mutating func run(_ run: MappingRun) throws(WriteError) { try restorer.run(run) }

  mutating func entries(_ keys: Span<UInt64>, _ values: Span<UInt64>) throws(WriteError) {
    try restorer.entries(keys, values)
  }

  mutating func reference(_ name: String) throws(WriteError) { try restorer.reference(name) }

  mutating func end() throws(WriteError) {
    try write(below: .max)
    try restorer.end()
  }

  /// Writes the devices with lower ids that haven't been written.
  private mutating func write(below id: UInt64) throws(WriteError) {
    while next < recovery.devices.count, recovery.devices[next].header.id < id {
      let device = recovery.devices[next]
      next += 1
      try restorer.beginDevice(device.header)
      for leaf in device.leaves {
        if shared.contains(leaf) {
          try restorer.reference(InsertedDevices.name(leaf))
        } else {
          for run in recovery.contents.leaves[leaf]?.kept ?? [] { try restorer.run(run) }
        }
      }
      try restorer.endDevice()
    }
  }
}
