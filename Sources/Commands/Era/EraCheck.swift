internal import ArgumentParser
internal import EraMetadata
internal import PersistentData

/// `era_check`: says whether the metadata of an era device can be trusted.
struct EraCheck: CheckTool {
  static let configuration = CommandConfiguration(
    commandName: "era_check", abstract: "Check the metadata of an era device.",
    version: Toolbox.version)
  static let target = MetadataTarget.era

  @OptionGroup var options: CheckOptions
  @OptionGroup var shared: SharedOptions

  func validate() throws { try validate(parts: []) }

  var mends: Bool { options.autoRepair }

  func report(of file: BlockFile) -> EraReport {
    EraReport(of: file, superblockOnly: options.superBlockOnly)
  }

  func advice(
    _ report: EraReport, _ result: CheckResult<EraReport>, isWatched: Bool
  ) -> [String] {
    var advice = ArrayAdvice(
      target: .era, input: options.input, newBlockCount: report.newBlockCount,
      hasSuperblock: report.superblock != nil, isComplete: report.isComplete)
    advice.losses = losses(report)
    if report.superblock?.heldRoot ?? 0 != 0 {
      advice.remarks = [
        "A metadata snapshot is held. When nobody reads it any more, release it: 'dmsetup message "
          + "DEVICE 0 drop_metadata_snap'."
      ]
    }
    return advice.lines(result, report.findings, wasToMend: mends, isWatched: isWatched)
  }

  private func losses(_ report: EraReport) -> [String] {
    var lines: [String] = []
    if !report.lostBlocks.isEmpty {
      lines.append(
        "It is not known when these blocks of the origin were last written: "
          + "\(report.lostBlocks.rangeText(atMost: 8)).")
    }
    if !report.lostEras.isEmpty {
      lines.append(
        "It is not known which blocks were written in these eras: "
          + "\(report.lostEras.rangeText(atMost: 8)).")
    }
    if !lines.isEmpty {
      lines.append("Until the metadata is repaired, a backup has to copy every block.")
    }
    return lines
  }

  func write(_ report: EraReport, _ json: inout JSONWriter) {
    if let superblock = report.superblock {
      json.object("era_device") { json in
        json.field("data_block_sectors", UInt64(superblock.dataBlockSectors))
        json.field("origin_blocks", UInt64(superblock.blockCount))
        json.field("current_era", UInt64(superblock.currentEra))
        json.field("metadata_snapshot", superblock.heldRoot == 0 ? nil : superblock.heldRoot)
      }
    }
    json.ranges("lost_blocks", report.lostBlocks)
    json.ranges("lost_eras", report.lostEras)
  }
}
