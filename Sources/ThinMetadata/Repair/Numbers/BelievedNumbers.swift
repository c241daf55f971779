internal import PersistentData

extension Salvage {
  /// The pool's numbers and times that can't be true, and what replaced them.
  package struct Corrections: Sendable {
    /// The pool's time as the superblock has it, where another was taken.
    package fileprivate(set) var timeBefore: UInt32?
    /// Mappings that were newer than the pool; those of a leaf that devices share count once.
    package fileprivate(set) var lateMappings = 0
    /// Devices that were newer than the pool, ascending.
    package fileprivate(set) var lateDevices: [UInt64] = []
    /// Whether times contradict each other so much that every block counts as shared.
    package fileprivate(set) var isTimeDistrusted = false
    /// The number of data blocks as the superblock has it, where bitmaps count more.
    package fileprivate(set) var dataBlockCountBefore: UInt64?
    /// Whether the transaction id was inferred from those of devices.
    package fileprivate(set) var isTransactionGuessed = false
  }
}

/// The numbers and times that new metadata gets.
struct BelievedNumbers {
  private(set) var header: PoolHeader
  private(set) var corrections = Salvage.Corrections()

  /// The latest time that a device of the old metadata can have.
  private let timeLimit: UInt32
  /// The lowest snapshotted times that keep the kernel from writing to shared blocks in place.
  private let lowestTimes: [UInt64: UInt32]
  private let allShared: Set<UInt64>

  /// `devices`: with possible ids. `isInferred`: whether the superblock is made up; `isOutdated`:
  /// whether it is older than the pool. `allShared`: devices that share all their blocks.
  init(
    _ pool: PoolReading, _ devices: [ThinDevice], _ source: SalvageReader,
    _ overrides: PoolOverrides, isInferred: Bool, isOutdated: Bool, allShared: Set<UInt64>
  ) {
    self.allShared = allShared
    let reader = pool.reader
    header = reader.header
    header.needsCheck = false
    header.version = 2
    timeLimit = source.time.limit
    lowestTimes = Dictionary(
      pool.snapshottedTimesTooLow.map { ($0.device, $0.lowest) }, uniquingKeysWith: max)
    if !isInferred, header.time != timeLimit { corrections.timeBefore = header.time }
    setTime(reader, devices, source.time)
    corrections.dataBlockCountBefore = source.dataBlockCountBefore
    let countable = reader.usage.blockCount * UInt64(Bitmap.entryCount)
    if isInferred || header.dataBlockCount > countable {
      header.dataBlockCount = pool.counts.highestDataBlock.map { $0 + 1 } ?? 0
    }
    let found = header.transactionID
    overrides.apply(to: &header)
    if isInferred || isOutdated {
      setTransaction(atLeast: found, devices.compactMap(\.details?.transactionID).max(), overrides)
    }
  }

  private mutating func setTime(
    _ reader: PoolReader, _ devices: [ThinDevice], _ time: PoolTime
  ) {
    corrections.lateMappings = reader.findings.counts[.mappingTimeInFuture] ?? 0
    corrections.lateDevices = devices.filter {
      $0.details.map { max($0.creationTime, $0.snapshottedTime) > timeLimit } ?? false
    }.map(\.id)
    corrections.isTimeDistrusted = !time.isTrusted
    header.time = timeLimit
    // Where a device's times are lost, everything counts as shared.
    let isComplete =
      time.isTrusted && allShared.isEmpty && devices.allSatisfy { $0.details != nil }
    if !isComplete, header.time < Mapping.timeMaximum { header.time += 1 }
    header.time = min(max(header.time, lowestTimes.values.max() ?? 0), Mapping.timeMaximum)
  }

  /// LVM raises the transaction id after it has made a device under the old one. A number given by
  /// the user is taken if no device contradicts it.
  private mutating func setTransaction(
    atLeast found: UInt64, _ highest: UInt64?, _ overrides: PoolOverrides
  ) {
    let lowest = max(found, highest ?? 0)
    if let given = overrides.transactionID, given >= lowest {
      header.transactionID = given
      return
    }
    let next = highest.map { $0 == .max ? $0 : $0 + 1 } ?? 0
    header.transactionID = overrides.transactionID == nil ? max(found, next) : lowest
    corrections.isTransactionGuessed = true
  }

  /// The details of a device, made anew where they are lost, except for the number of mappings.
  func details(of device: ThinDevice) -> DeviceDetails {
    guard var details = device.details else {
      return DeviceDetails(
        mappedBlocks: 0, transactionID: header.transactionID, creationTime: header.time,
        snapshottedTime: header.time)
    }
    // No device was ever newer than its pool, in time or transaction, or than its last snapshot.
    let isBornLate = details.creationTime > timeLimit
    if isBornLate || details.creationTime > details.snapshottedTime {
      details.snapshottedTime = timeLimit
    }
    let isShared = corrections.isTimeDistrusted || allShared.contains(device.id)
    details.snapshottedTime = isShared ? header.time : min(details.snapshottedTime, timeLimit)
    details.creationTime =
      isBornLate ? details.snapshottedTime : min(details.creationTime, timeLimit)
    details.snapshottedTime = max(details.snapshottedTime, lowestTimes[device.id, default: 0])
    details.transactionID = min(details.transactionID, header.transactionID)
    return details
  }
}
