internal import PersistentData
internal import ThinMetadata

/// What `thin_check` found, as a JSON document.
///
/// man/thin_check.schema.json describes every field; `version` goes up when one of them vanishes or
/// changes its meaning, not when one is added.
struct CheckDocument {
  static let version = 1

  private let result: CheckResult
  private let input: String
  private let advice: [String]

  /// `input`: as the person named it. `advice`: the lines that end the text for people.
  init(_ result: CheckResult, input: String, advice: [String]) {
    self.result = result
    self.input = input
    self.advice = advice
  }

  func write(to sink: ByteSink) throws(ByteSink.Failure) {
    var json = JSONWriter(sink)
    json.object { json in
      json.head("thin_check", version: CheckDocument.version, input: input)
      json.field("verdict", result.verdict.rawValue)
      json.field("exit_status", Int(result.status.rawValue))
      json.field("failure", result.failure?.message)
      if let report = result.report { write(report, &json) }
      json.array("advice") { json in for line in advice { json.element(line) } }
    }
    try json.finish()
  }

  private func write(_ report: CheckReport, _ json: inout JSONWriter) {
    json.field("complete", report.isComplete)
    json.field("mended", result.isMended)
    json.field("undo_file", result.undoFile)
    if let superblock = report.superblock, let transactionID = report.transactionID {
      json.object("pool") { json in write(superblock, transactionID, &json) }
    }
    json.object("counts") { json in
      for severity in Severity.allCases.reversed() {
        json.field(severity.name, report.findings.count(severity))
      }
    }
    json.array("affected_devices") { json in
      for damage in report.damage {
        json.object { json in
          json.field("device", damage.device)
          json.field("mapped_blocks", damage.mappedBlocks)
          json.field("lost_mappings", damage.lostCount)
          json.ranges("lost", damage.lost)
        }
      }
    }
    if report.isComplete, let sectors = report.superblock?.dataBlockSectors {
      write(report.overwrittenData, BlockSize(sectors: sectors), &json)
    }
    json.ranges("lost_device_ids", report.lostIDs)
    let findings = report.findings.sorted
    json.field("findings_left_out", report.findings.madeCount - findings.count)
    json.array("findings") { json in
      for finding in findings { json.object { json in write(finding, &json) } }
    }
  }

  private func write(
    _ data: OverwrittenData, _ size: BlockSize, _ json: inout JSONWriter
  ) {
    json.field("overwritten_data_complete", data.isComplete)
    json.array("overwritten_data") { json in
      for device in data.devices {
        json.object { json in
          json.field("device", device.id)
          json.overwritten(device, size)
        }
      }
    }
  }

  private func write(
    _ superblock: Superblock, _ transactionID: UInt64, _ json: inout JSONWriter
  ) {
    json.field("transaction_id", transactionID)
    json.field("data_block_sectors", UInt64(superblock.dataBlockSectors))
    json.field("needs_check", superblock.needsCheck)
    json.field("metadata_snapshot", superblock.heldRoot == 0 ? nil : superblock.heldRoot)
    let metadata = MetadataSpace(superblock.metadataSpaceMap)
    json.object("metadata_blocks") { json in
      json.field("total", superblock.metadataSpaceMap.blockCount)
      json.field("free", metadata.free)
      json.field("reserve", metadata.reserve)
      json.field("low_watermark", metadata.lowWatermark)
    }
    json.object("data_blocks") { json in
      json.field("total", superblock.dataSpaceMap.blockCount)
      json.field("allocated", superblock.dataSpaceMap.allocatedCount)
    }
  }

  private func write(_ finding: Finding, _ json: inout JSONWriter) {
    json.field("rule", finding.rule.rawValue)
    json.field("severity", finding.rule.severity.name)
    json.field("mendable", finding.rule.entry.isMendable)
    json.field("structure", finding.site.structure)
    json.field("device", finding.site.device)
    json.field("block", finding.site.block)
    json.field("entry", finding.site.entry)
    if let keys = finding.site.keys, let unit = finding.site.label.keyUnit {
      json.object("range") { json in
        json.field("unit", unit.rawValue)
        json.range(keys)
      }
    }
    json.field("found", finding.found.isEmpty ? nil : finding.found)
    json.field("expected", finding.expected.isEmpty ? nil : finding.expected)
    json.field("message", finding.description)
  }
}
