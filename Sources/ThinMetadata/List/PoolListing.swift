package import PersistentData

/// A device as a list shows it.
package struct ListedDevice: Hashable, Sendable {
  package let id: UInt64
  /// What LVM calls it, where names were given.
  package let name: String?
  /// `nil` where the details tree has no entry that can be read.
  package let details: DeviceDetails?
  /// `nil` where nothing was counted, or damage hides some of the mappings.
  package let counts: BlockCounts?
}

/// The devices of a pool, as a list shows them.
package struct PoolListing: Sendable {
  package let pool: PoolHeader
  package let devices: [ListedDevice]
  /// Whether blocks were counted.
  package let hasCounts: Bool
  /// What is wrong with what was looked at.
  package let findings: Findings

  /// `counting`: whether leaves are read; without that nothing below a device's root matters.
  package init(
    _ reader: PoolReader, counting: Bool, names: VolumeNames = VolumeNames()
  ) {
    var reader = reader
    let counts = counting ? DeviceCounts(&reader).counts : []
    var pool = reader.header
    // What a metadata snapshot doesn't know is taken from the live pool.
    pool.dataBlockCount = reader.dataBlockCount
    self.pool = pool
    hasCounts = counting
    findings = reader.findings
    devices = reader.devices.enumerated().map { index, device in
      ListedDevice(
        id: device.id, name: names[device.id], details: device.details,
        counts: counting ? counts[index] : nil)
    }
  }

  /// Devices whose blocks were to be counted but can't be.
  package var uncounted: [UInt64] {
    hasCounts ? devices.filter { $0.counts?.exclusive == nil }.map(\.id) : []
  }

  /// Devices whose details give another number of mapped blocks than was counted.
  package var miscounted: [ListedDevice] {
    devices.filter { device in
      guard let details = device.details, let counts = device.counts else { return false }
      return details.mappedBlocks != counts.mapped
    }
  }

  package var isDamaged: Bool {
    findings.worst == .error || !uncounted.isEmpty || !miscounted.isEmpty
      || devices.contains { $0.details == nil }
  }
}
