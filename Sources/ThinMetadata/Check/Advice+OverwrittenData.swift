extension Advice {
  /// The most devices that are listed one by one.
  private static let maxDevices = 20

  static func forOverwrittenData(_ report: CheckReport) -> [String] {
    let sectors = UInt64(report.superblock?.dataBlockSectors ?? 0)
    let lines = lines(for: report.overwrittenData, sectors: sectors)
    if lines.isEmpty { return [] }
    return lines + [
      causeOfOverwrittenData,
      "Metadata doesn't tell what was there: compare the data with a backup. Note these ranges "
        + "before a repair, because its new reference counts hide them. A repair keeps their "
        + "mappings; 'thin_repair --drop-overwritten' leaves out those whose data has been "
        + "overwritten.",
    ]
  }

  /// Devices whose data is gone, or may be, a line per device; nothing if there are none.
  ///
  /// `sectors`: in a data block.
  static func lines(for data: OverwrittenData, sectors: UInt64) -> [String] {
    var lines = data.devices.prefix(maxDevices).map { device -> String in
      let parts = [
        (device.certain, "has been overwritten"), (device.possible, "may have been overwritten"),
      ].filter { !$0.0.isEmpty }.map { ranges, fate in
        "the data of \(KeyRanges.text(ranges, sectorsPerBlock: sectors)) \(fate)"
      }
      return "Device \(device.id): \(parts.joined(separator: "; "))."
    }
    if data.devices.count > maxDevices {
      lines.append(
        "\(data.devices.count - maxDevices) more devices have data that has been overwritten, or "
          + "may have been.")
    }
    if data.mayBeWrongMappings {
      lines.append(
        "Or some of these mappings are wrong and lead to the data of other virtual blocks: at "
          + "least as many data blocks are in use but not mapped.")
    }
    if !data.isComplete, !lines.isEmpty { lines.append("There may be more overwritten data.") }
    return lines
  }

  /// Where it came from.
  static let causeOfOverwrittenData =
    "Data blocks were given out, or discarded, while they were in use. Kernels before 5.10.259, "
    + "5.15.209, 6.1.175, 6.6.140, 6.12.88, 6.18.30 and 7.0.7 do that to data that snapshots share "
    + "(CVE-2026-46107): use a newer kernel before you activate the pool again."
}
