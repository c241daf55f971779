internal import PersistentData

/// The rules for a pool's events: which may follow which, and which values make sense.
///
/// Everything that takes events from outside checks them here first, so that a mistake is reported
/// in the same words wherever it is noticed, and before anything is written.
struct PoolRules: Sendable {
  /// What is known of a shared run once it has ended.
  private struct SharedRun {
    var mappedBlocks: UInt64 = 0
    var keys: ClosedRange<UInt64>?
  }

  private enum Place {
    case outside
    case inPool
    case inShared(String)
    case inDevice(UInt64)
  }

  private var place = Place.outside
  private var dataBlockCount: UInt64 = 0
  private var shared: [SharedName: SharedRun] = [:]
  private var current = SharedRun()
  private var devices = DeviceIDs()
  /// The pool's time, and the latest of all mappings that came as runs.
  private var time: UInt32 = 0
  private(set) var latestTime: UInt32 = 0
  /// Whether each device had a higher id than the one before.
  var isAscending: Bool { devices.isAscending }

  /// Mappings of the device or shared run so far.
  var mappedBlocks: UInt64 { current.mappedBlocks }

  mutating func begin(_ pool: PoolHeader) throws(WriteError) {
    guard case .outside = place else { throw .rejected("duplicated superblock") }
    guard Superblock.isPossible(dataBlockSectors: pool.dataBlockSectors) else {
      throw .rejected(
        "invalid data block size: \(pool.dataBlockSectors) sectors are not a multiple of 128 "
          + "(64 KiB), at most \(Superblock.dataBlockSectorsMaximum) (1 GiB)")
    }
    guard pool.time <= Mapping.timeMaximum else {
      throw .rejected("time \(pool.time) is larger than \(Mapping.timeMaximum)")
    }
    // Bitmaps for so many blocks must fit beside everything else.
    let bitmaps = Bitmap.count(for: pool.dataBlockCount)
    guard bitmaps < MetadataBlock.maximumCount else { throw .tooLarge(needed: bitmaps) }
    dataBlockCount = pool.dataBlockCount
    time = pool.time
    place = .inPool
  }

  mutating func beginShared(_ name: String) throws(WriteError) {
    try enter("def")
    guard shared[SharedName(name)] == nil else {
      throw .rejected("there are two <def> named '\(name)'")
    }
    place = .inShared(name)
  }

  mutating func endShared() {
    if case .inShared(let name) = place { shared[SharedName(name)] = current }
    place = .inPool
  }

  mutating func beginDevice(_ device: DeviceHeader) throws(WriteError) {
    try enter("device")
    guard device.id <= DeviceDetails.deviceIDMaximum else {
      throw .rejected("dev_id \(device.id) is larger than \(DeviceDetails.deviceIDMaximum)")
    }
    guard devices.insert(device.id) else {
      throw .rejected("there are two devices with dev_id \(device.id)")
    }
    place = .inDevice(device.id)
  }

  mutating func endDevice() { place = .inPool }

  mutating func run(_ run: MappingRun) throws(WriteError) {
    try enterMapping()
    guard run.length > 0 else { throw .rejected("a mapping has no length") }
    guard !run.virtualBegin.addingReportingOverflow(run.length).overflow else {
      throw .rejected("virtual blocks from \(run.virtualBegin) on go beyond 2^64")
    }
    guard run.time <= Mapping.timeMaximum else {
      throw .rejected("time \(run.time) is larger than \(Mapping.timeMaximum)")
    }
    // The pool's time is raised to that of its latest mapping, and the next snapshot raises it
    // again.
    guard run.time <= time || run.time < Mapping.timeMaximum else {
      throw .rejected(
        "time \(run.time) is later than the pool's, \(time), and the highest there is: no snapshot "
          + "could be made any more")
    }
    latestTime = max(latestTime, run.time)
    guard run.dataBegin < dataBlockCount, run.length <= dataBlockCount - run.dataBegin else {
      throw outOfBounds(from: run.dataBegin)
    }
    try extend(run.virtualBegin...run.virtualLast, by: run.length)
  }

  /// Entries whose keys, little-endian, are known to ascend, with the highest of their data blocks.
  mutating func entries(
    _ keys: Span<UInt64>, highest dataBlock: UInt64
  ) throws(WriteError) {
    try enterMapping()
    guard let first = keys.indices.first, let last = keys.indices.last else { return }
    guard dataBlock < dataBlockCount else { throw outOfBounds(from: dataBlock) }
    let range = UInt64(littleEndian: keys[first])...UInt64(littleEndian: keys[last])
    try extend(range, by: UInt64(keys.count))
  }

  mutating func reference(_ name: String) throws(WriteError) {
    guard case .inDevice = place else { throw .rejected("<ref> must stand within <device>") }
    guard let run = shared[SharedName(name)] else {
      throw .rejected("couldn't find sub tree '\(name)'")
    }
    if let keys = run.keys { try extend(keys, by: run.mappedBlocks) }
  }

  func end() throws(WriteError) {
    if case .outside = place { throw .rejected("missing superblock") }
  }

  private mutating func enter(_ tag: String) throws(WriteError) {
    switch place {
    case .inPool: current = SharedRun()
    case .outside: throw .rejected("missing superblock")
    case .inShared, .inDevice:
      throw .rejected("<\(tag)> must not stand within <def> or <device>")
    }
  }

  private func enterMapping() throws(WriteError) {
    switch place {
    case .inDevice, .inShared: break
    case .outside: throw .rejected("missing superblock")
    case .inPool: throw .rejected("mapping tags must appear within a <def> or <device> tag")
    }
  }

  private func outOfBounds(from dataBlock: UInt64) -> WriteError {
    .rejected(
      "block out of bounds: data blocks from \(dataBlock) on, but the data device has "
        + "\(dataBlockCount)")
  }

  private mutating func extend(
    _ keys: ClosedRange<UInt64>, by count: UInt64
  ) throws(WriteError) {
    if let last = current.keys?.upperBound, keys.lowerBound <= last {
      throw .rejected(
        "virtual block \(keys.lowerBound) must not follow \(last): mappings ascend")
    }
    current.keys = (current.keys?.lowerBound ?? keys.lowerBound)...keys.upperBound
    current.mappedBlocks += count
  }
}
