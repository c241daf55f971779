internal import PersistentData

/// The devices of a damaged pool as new metadata has them, and what became of each.
struct SalvagedDevices {
  private(set) var devices: [(header: DeviceHeader, root: MetadataBlock?)] = []
  private(set) var results: [Salvage.DeviceResult] = []

  /// `isDropping`: whether mappings are left out whose data has certainly been overwritten.
  init(
    _ unclear: UnclearIDs, _ ids: ImpossibleIDs, _ numbers: BelievedNumbers, _ pool: PoolReading,
    _ grafting: Grafting, _ overwrittenData: OverwrittenData, isDropping: Bool
  ) {
    let (reader, totals) = (pool.reader, pool.counts.totals)
    let oldIDs = Dictionary(
      ids.renamed.filter(\.isMadeUp).map { ($0.id, $0.impossibleID) }, uniquingKeysWith: min)
    for device in unclear.devices {
      let root = device.root.flatMap { reader.mappings.isUsable($0) ? $0 : nil }
      var details = numbers.details(of: device)
      details.mappedBlocks = totals[below: root].entryCount
      // Details with one wrong number may be an older version altogether.
      if grafting.doubtfulDetails.contains(device.id) {
        details.snapshottedTime = numbers.header.time
      }
      devices.append((DeviceHeader(id: device.id, details: details), root))
      results.append(
        Salvage.DeviceResult(
          device, readAs: oldIDs[device.id] ?? device.id, root, reader, totals, grafting,
          overwrittenData.devices.first { $0.id == device.id }, isDropping: isDropping,
          hasUnclearID: unclear.ids.contains(device.id)))
    }
  }
}
