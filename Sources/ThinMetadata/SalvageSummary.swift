internal import PersistentData

/// What a repair kept and what it lost, in words: a line a device, and what it means.
package struct SalvageSummary: Sendable {
  package let lines: [String]

  /// Devices that are told of one by one.
  private static let most = 100

  package init(_ salvage: Salvage) {
    let sectors = UInt64(salvage.header.dataBlockSectors)
    let damaged = salvage.results.filter { !$0.lost.isEmpty || $0.hasRebuiltDetails }
    let kept = salvage.results.reduce(0) { $0 + $1.mappedBlocks }
    var lines: [String] = []
    if let search = salvage.search { lines += SalvageSummary.forLostSuperblock(search, salvage) }
    lines += damaged.prefix(SalvageSummary.most).map { SalvageSummary.line($0, sectors) }
    if damaged.count > SalvageSummary.most {
      lines.append("\(damaged.count - SalvageSummary.most) more devices lost mappings.")
    }
    for id in salvage.droppedDevices.prefix(SalvageSummary.most) {
      lines.append("Device \(id) is left out: ids end at \(DeviceDetails.deviceIDMaximum).")
    }
    for ids in salvage.lostIDs {
      lines.append("Devices with ids \(ids.lowerBound)..\(ids.upperBound) may be lost unnoticed.")
    }
    let whole = salvage.results.count - damaged.count
    lines.append(
      "Kept \(kept) mappings; \(whole) of \(salvage.results.count + salvage.droppedDevices.count) "
        + "devices are whole.")
    if !damaged.isEmpty || !salvage.droppedDevices.isEmpty || salvage.search != nil {
      lines.append(
        "Keep the damaged metadata until the data is checked: what is lost here may still be found "
          + "in it.")
    }
    self.lines = lines
  }

  private static func line(_ device: Salvage.DeviceResult, _ sectors: UInt64) -> String {
    var line = "Device \(device.id): kept \(device.mappedBlocks)"
    if let before = device.mappedBlocksBefore { line += " of \(before)" }
    line += " mappings"
    if !device.lost.isEmpty {
      line += "; lost what was mapped in \(KeyRanges.text(device.lost, sectorsPerBlock: sectors))"
    }
    if device.hasRebuiltDetails { line += "; its details were lost and made anew" }
    return line + "."
  }

  private static func forLostSuperblock(
    _ search: SuperblockSearch, _ salvage: Salvage
  ) -> [String] {
    var lines = [
      "The superblock is lost. The pool was found by its other blocks, in the newest of "
        + "\(search.otherStates + 1) states that they tell of."
    ]
    if search.otherStates > 0 {
      lines.append(
        "Which state is the newest is inferred from the order in which kernels write, not written "
          + "down anywhere: check the data before you trust it.")
    }
    lines.append(
      "Transaction id \(salvage.header.transactionID) is the highest that is left; if LVM expects "
        + "another, repair again with --transaction-id.")
    return lines
  }
}
