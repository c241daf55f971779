internal import PersistentData

extension Salvage {
  /// A device that stood under an id that no device can have.
  package struct Renamed: Hashable, Sendable {
    package let impossibleID: UInt64
    package let id: UInt64
    /// Whether the id is made up. Otherwise it is the device's own: one of the two lists had it,
    /// and both agree on the number of mappings.
    package let isMadeUp: Bool
  }
}

/// Finds ids for devices with an impossible id: a number in one of the two lists is damaged, but
/// the tree isn't.
struct ImpossibleIDs {
  /// Ascending by id; those left with an impossible id have no tree.
  private(set) var devices: [ThinDevice]
  private(set) var renamed: [Salvage.Renamed] = []

  init(_ pool: PoolReading) {
    let reader = pool.reader
    let highest = DeviceDetails.deviceIDMaximum
    devices = reader.devices.filter { $0.id <= highest }
    let odd = reader.devices.filter { $0.id > highest }
    if odd.isEmpty { return }
    let totals = pool.counts.totals
    var open: [ThinDevice] = []
    for device in odd {
      let places = devices.indices.filter { ImpossibleIDs.fit(device, devices[$0], totals) }
      let rivals = odd.count { other in
        places.contains { ImpossibleIDs.fit(other, devices[$0], totals) }
      }
      if places.count == 1, rivals == 1 {
        let index = places[0]
        devices[index].root = devices[index].root ?? device.root
        devices[index].details = devices[index].details ?? device.details
        note(device, devices[index].id, isMadeUp: false)
      } else {
        open.append(device)
      }
    }
    var id = highest
    var taken = Set(devices.map(\.id))
    for device in open {
      while taken.contains(id), id > 0 { id -= 1 }
      guard device.root != nil, !taken.contains(id) else {
        devices.append(device)
        continue
      }
      devices.append(ThinDevice(id: id, root: device.root, details: device.details))
      note(device, id, isMadeUp: true)
      taken.insert(id)
    }
    devices.sort { $0.id < $1.id }
  }

  private mutating func note(_ device: ThinDevice, _ id: UInt64, isMadeUp: Bool) {
    renamed.append(Salvage.Renamed(impossibleID: device.id, id: id, isMadeUp: isMadeUp))
  }

  /// Whether an impossible id in one list and a possible id in the other mean the same device: each
  /// entry has what the other lacks, and they agree on the number of mappings.
  private static func fit(
    _ odd: ThinDevice, _ device: ThinDevice, _ totals: SubtreeTotals
  ) -> Bool {
    let isEither =
      odd.root != nil && odd.details == nil && device.root == nil && device.details != nil
      || odd.root == nil && odd.details != nil && device.root != nil && device.details == nil
    guard isEither, let root = odd.root ?? device.root,
      let details = odd.details ?? device.details
    else { return false }
    let total = totals[below: root]
    return !total.hasDamage && total.entryCount == details.mappedBlocks
  }
}
