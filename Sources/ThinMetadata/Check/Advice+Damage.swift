internal import PersistentData

/// What is lost, and what to do about errors.
extension Advice {
  /// The most devices that are listed one by one.
  private static let maxDevices = 20

  static func affected(_ report: CheckReport) -> [String] {
    var lines = report.damage.prefix(maxDevices).map { line($0, report.dataBlockSectors) }
    if report.damage.count > maxDevices {
      lines.append(
        "\(report.damage.count - maxDevices) more devices have mappings that can't be read.")
    }
    if !lines.isEmpty { lines.append(Commands.volumeNames) }
    if !report.lostIDs.isEmpty {
      lines.append("Part of the list of devices can't be read: there may be more devices.")
    }
    return lines
  }

  /// How many mappings of a device are affected, where that is known, and where they are.
  private static func line(_ damage: CheckReport.Damage, _ sectors: UInt64) -> String {
    let isAll = damage.lost == [0...UInt64.max]
    guard let lost = damage.lostCount else {
      if isAll { return "Device \(damage.device): none of its virtual blocks can be read." }
      let ranges = KeyRanges.text(damage.lost, sectorsPerBlock: sectors)
      return damage.hasMisfits
        ? "Device \(damage.device): mappings may be missing in \(ranges)."
        : "Device \(damage.device): \(ranges) can't be read."
    }
    let start = "Device \(damage.device): "
    let count = MappingCount.text(lost, of: damage.mappedBlocks, sectorsPerBlock: sectors)
    let ranges = KeyRanges.text(damage.lost, sectorsPerBlock: 0)
    return damage.hasMisfits
      ? start + "\(count) are missing, perhaps in \(ranges)."
      : start + "\(count) can't be read, in \(ranges)."
  }

  static func forErrors(_ report: CheckReport, _ input: String) -> [String] {
    if report.isOfSnapshot { return forSnapshot(report, input) }
    guard let superblock = report.superblock else { return forLostSuperblock(report, input) }
    if report.findings.counts[.deviceTruncated] != nil {
      return safe(report) + forCutDevice(report, superblock, input)
    }
    let isFailing = report.findings.counts[.blockUnreadable] != nil
    let isSizeWrong = report.findings.counts[.dataBlockSizeInvalid] != nil
    return safe(report)
      + (isSizeWrong
        ? Commands.withDataBlockSize(
          input, blockCount: report.newBlockCount, isFailing: isFailing)
        : Commands.repair(input, blockCount: report.newBlockCount, isFailing: isFailing))
  }

  private static func safe(_ report: CheckReport) -> [String] {
    report.canReadAllMappings ? ["Every mapping can be read."] : []
  }

  /// The pool may be running, and nothing that needs it stopped is asked for.
  private static func forSnapshot(_ report: CheckReport, _ input: String) -> [String] {
    let held = report.superblock.map { ", in block \($0.heldRoot)," } ?? ""
    return [
      "The damage is in the metadata snapshot\(held) and perhaps only there. Release it, reserve a "
        + "new one and try again; the pool can stay active:"
    ] + Commands.newSnapshot + [
      "  thin_check -m \(ShellWord(input))",
      "If that finds the same, the pool's own metadata may be damaged: when the pool is inactive "
        + "next, check it without -m.",
    ]
  }

  private static func forLostSuperblock(_ report: CheckReport, _ input: String) -> [String] {
    if let fault = report.superblockFault {
      return [
        "The superblock has \(fault). A repair corrects it; until then nothing else can be checked."
      ] + Commands.repair(input, blockCount: report.newBlockCount)
    }
    return [
      "Block 0 is not the superblock of a thin pool, or no longer. Is this the right device? With "
        + "LVM it is \(Commands.component). If this is the right device, don't activate the pool."
    ]
      + Commands.search(
        input, blockCount: report.newBlockCount,
        isFailing: report.findings.counts[.blockUnreadable] != nil)
  }

  private static func forCutDevice(
    _ report: CheckReport, _ superblock: Superblock, _ input: String
  ) -> [String] {
    let sizes = [report.blockCount, superblock.metadataSpaceMap.blockCount].map {
      ByteCount.text($0.multipliedReportingOverflow(by: 4096).partialValue)
    }
    return [
      "The metadata goes on beyond the end of '\(input)', which has only \(sizes[0]) of its "
        + "\(sizes[1]). Don't activate the pool, and don't repair it in this state. If this is a "
        + "copy, it was cut short: make a complete one and check that. If it is VG/POOL_tmeta, it "
        + "was made smaller, or LVM was set back to an older state. Get back exactly the extents "
        + "that it had; 'lvextend' would add others:"
    ] + Commands.findingSize
  }
}

extension CheckReport {
  /// Whether all mappings were looked for, and none is missing.
  var canReadAllMappings: Bool { damage.isEmpty && lostIDs.isEmpty && hasReadMappings }

  /// Sectors in a data block; 0 where that is not known.
  fileprivate var dataBlockSectors: UInt64 {
    guard let sectors = superblock?.dataBlockSectors,
      Superblock.isPossible(dataBlockSectors: sectors)
    else { return 0 }
    return UInt64(sectors)
  }
}
