internal import PersistentData

extension PoolReader {
  /// Devices with mappings that damage hides, as far as their trees have been read; ascending.
  package var devicesNotWhole: [UInt64] {
    if mappings.isWhole, devices.allSatisfy({ $0.root != nil }) { return [] }
    // Numbers of mappings don't matter here.
    let totals = SubtreeTotals(mappings, leafEntryCounts: BlockTable(count: usage.blockCount))
    return devices.filter { device in
      guard let root = device.root else { return true }
      let total = totals[below: root]
      return total.hasDamage || total.hasMisfits
    }.map(\.id)
  }
}
