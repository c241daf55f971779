internal import PersistentData

/// The columns of a list of devices, by the names that scripts know.
package enum ListField: String, CaseIterable, Sendable {
  case dev = "DEV"
  case name = "NAME"
  case mappedBlocks = "MAPPED_BLOCKS"
  case exclusiveBlocks = "EXCLUSIVE_BLOCKS"
  case sharedBlocks = "SHARED_BLOCKS"
  case highestBlock = "HIGHEST_BLOCK"
  case mappedSectors = "MAPPED_SECTORS"
  case exclusiveSectors = "EXCLUSIVE_SECTORS"
  case sharedSectors = "SHARED_SECTORS"
  case highestSector = "HIGHEST_SECTOR"
  case mappedBytes = "MAPPED_BYTES"
  case exclusiveBytes = "EXCLUSIVE_BYTES"
  case sharedBytes = "SHARED_BYTES"
  case highestByte = "HIGHEST_BYTE"
  case mapped = "MAPPED"
  case exclusive = "EXCLUSIVE"
  case shared = "SHARED"
  case highestMapped = "HIGHEST_MAPPED"
  case transaction = "TRANSACTION"
  case createTime = "CREATE_TIME"
  case snapTime = "SNAP_TIME"

  package static let usual: [ListField] = [.dev, .mapped, .createTime, .snapTime]

  /// Whether mappings have to be read for it.
  package var needsCounts: Bool {
    switch self {
    case .dev, .name, .mappedBlocks, .mappedSectors, .mappedBytes, .mapped, .transaction,
      .createTime, .snapTime:
      false
    case .exclusiveBlocks, .exclusiveSectors, .exclusiveBytes, .exclusive, .sharedBlocks,
      .sharedSectors, .sharedBytes, .shared, .highestBlock, .highestSector, .highestByte,
      .highestMapped:
      true
    }
  }

  /// The field's text for a device; `nil` where it has no value.
  func text(_ device: ListedDevice, sectorsPerBlock: UInt32) -> String? {
    switch self {
    case .dev: String(device.id)
    case .name: device.name?.oneLine
    case .transaction: device.details.map { String($0.transactionID) }
    case .createTime: device.details.map { String($0.creationTime) }
    case .snapTime: device.details.map { String($0.snapshottedTime) }
    case .mappedBlocks, .exclusiveBlocks, .sharedBlocks, .highestBlock:
      number(of: device).map(String.init)
    case .mappedSectors, .exclusiveSectors, .sharedSectors:
      number(of: device).map { String($0.times(sectorsPerBlock)) }
    case .mappedBytes, .exclusiveBytes, .sharedBytes:
      number(of: device).map { String($0.times(sectorsPerBlock).times(512)) }
    case .mapped, .exclusive, .shared:
      number(of: device).map { ListField.size($0.times(sectorsPerBlock).times(512)) }
    case .highestSector: number(of: device).map { String($0.lastUnit(sectorsPerBlock)) }
    case .highestByte:
      number(of: device).map { String($0.lastUnit(sectorsPerBlock).lastUnit(512)) }
    case .highestMapped:
      number(of: device).map { ListField.size($0.lastUnit(sectorsPerBlock).lastUnit(512)) }
    }
  }

  /// A number of blocks, or a block's number.
  private func number(of device: ListedDevice) -> UInt64? {
    switch self {
    case .mappedBlocks, .mappedSectors, .mappedBytes, .mapped: device.details?.mappedBlocks
    case .exclusiveBlocks, .exclusiveSectors, .exclusiveBytes, .exclusive:
      device.counts?.exclusive
    case .sharedBlocks, .sharedSectors, .sharedBytes, .shared: device.counts?.shared
    case .highestBlock, .highestSector, .highestByte, .highestMapped: device.counts?.highest
    case .dev, .name, .transaction, .createTime, .snapTime: nil
    }
  }

  /// A size in the unit that thin-provisioning-tools 1.x gives it: a larger one from 8193 on.
  static func size(_ bytes: UInt64) -> String {
    let units = ["b", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var unit = max(0, (UInt64.bitWidth - bytes.leadingZeroBitCount - 1) / 10 - 1)
    var number = bytes >> UInt64(10 * unit)
    if number > 8192 {
      number = (number + 512) / 1024
      unit += 1
    }
    return "\(number)\(units[unit])"
  }
}

extension UInt64 {
  /// A product, or the highest number there is: keys on disk may be beyond any device.
  fileprivate func times(_ other: UInt32) -> UInt64 {
    let (product, isTooLarge) = multipliedReportingOverflow(by: UInt64(other))
    return isTooLarge ? .max : product
  }

  /// The last of the `count` smaller units that this one consists of.
  fileprivate func lastUnit(_ count: UInt32) -> UInt64 {
    let (end, isTooLarge) = addingReportingOverflow(1)
    let units = end.times(count)
    return isTooLarge || units == 0 || units == .max ? .max : units - 1
  }
}
