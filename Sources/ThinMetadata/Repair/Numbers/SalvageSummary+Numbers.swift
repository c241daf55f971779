internal import PersistentData

extension SalvageSummary {
  /// The most devices that are named.
  private static let maxDevices = 8

  /// Numbers and times that can't be true, and what stands in their place.
  static func forNumbers(_ salvage: Salvage) -> [String] {
    forIDs(salvage.renamed) + forUnclearIDs(salvage.unclearIDs) + forDataBlocks(salvage)
      + forLateTimes(salvage)
      + salvage.overrides.refusals(salvage.header)
  }

  private static func forIDs(_ renamed: [Salvage.Renamed]) -> [String] {
    renamed.map { device in
      device.isMadeUp
        ? "Device \(device.id) has a made-up id, in place of \(device.impossibleID), which no "
          + "device can have."
        : "Device \(device.id) was listed as \(device.impossibleID), an id that no device can "
          + "have, in one of the two lists of devices."
    }
  }

  private static func forUnclearIDs(_ pairs: [(details: UInt64, tree: UInt64)]) -> [String] {
    pairs.map { pair in
      "Devices \(pair.details) and \(pair.tree) are one device: the details have it as "
        + "\(pair.details), the mapping tree as \(pair.tree), and nothing tells which is right. "
        + "Both have all its mappings in the new metadata; delete the one that LVM doesn't know."
    }
  }

  private static func forDataBlocks(_ salvage: Salvage) -> [String] {
    guard let before = salvage.corrections.dataBlockCountBefore else { return [] }
    return [
      "The number of data blocks is raised from \(before) to \(salvage.header.dataBlockCount): "
        + "blocks beyond that are mapped and counted as in use."
    ]
  }

  private static func forLateTimes(_ salvage: Salvage) -> [String] {
    let corrections = salvage.corrections
    let time = salvage.header.time
    var lines: [String] = []
    if let before = corrections.timeBefore {
      lines.append("The pool's time was \(before), which is impossible; it is \(time) now.")
    }
    var places: [String] = []
    let count = corrections.lateMappings
    if count > 0 { places.append(count == 1 ? "one mapping" : "\(count) mappings") }
    if let first = corrections.lateDevices.first {
      places.append(
        corrections.lateDevices.count == 1
          ? "device \(first)" : "devices \(corrections.lateDevices.firstFew(maxDevices))")
    }
    if !places.isEmpty {
      lines.append(
        "Damaged times, later than the pool's, are set back: those of "
          + places.joined(separator: " and of ") + ".")
    }
    if corrections.isTimeDistrusted {
      lines.append(
        "Because times contradict each other, all blocks count as shared: the kernel copies each "
          + "before it writes to it."
      )
    }
    return lines
  }
}

extension PoolOverrides {
  /// What was asked for and not done, as the pool already has more: these numbers only go up.
  package func refusals(_ pool: PoolHeader) -> [String] {
    var lines: [String] = []
    if let transactionID, transactionID < pool.transactionID {
      lines.append(
        "The pool's transaction id stays \(pool.transactionID): it is higher than the "
          + "\(transactionID) that was asked for, and is never lowered.")
    }
    if let dataBlockCount, dataBlockCount < pool.dataBlockCount {
      lines.append(
        "The pool has \(pool.dataBlockCount) data blocks, more than the \(dataBlockCount) that "
          + "were asked for; their number is never lowered.")
    }
    return lines
  }
}
