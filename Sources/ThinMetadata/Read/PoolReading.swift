internal import PersistentData

/// A pool as one walk found it, with its mappings counted.
package struct PoolReading: Sendable {
  package internal(set) var reader: PoolReader
  package internal(set) var counts: MappingCounts
  /// Where the stored counts of data blocks differ from these; `nil` if they weren't compared.
  var dataDifferences: CountDifferences?

  /// Devices whose snapshotted time lets the kernel write to shared blocks in place, by id.
  var snapshottedTimesTooLow: [SnapshottedTimeTooLow] {
    counts.snapshottedTimesTooLow(of: reader.devices)
  }

  /// Emits the events of a pool; see `PoolReader.replay`.
  func replay<Events: EntryEvents & ~Copyable>(
    _ pool: PoolHeader, _ devices: [(header: DeviceHeader, root: MetadataBlock?)],
    into events: inout Events, for purpose: String
  ) throws(Events.Failure) {
    try reader.replay(pool, devices, counts.keptRuns, into: &events, for: purpose)
  }
}
