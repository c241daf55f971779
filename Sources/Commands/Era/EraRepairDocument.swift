internal import EraMetadata
internal import PersistentData

/// What `era_repair` recovered and lost, as a JSON document.
///
/// man/era_repair.schema.json describes every field.
struct EraRepairDocument: RepairReport {
  var common: RepairReportHead
  /// What was found; `nil` when nothing could be salvaged.
  var salvage: EraSalvage?

  init(input: String) { common = RepairReportHead(tool: "era_repair", input: input) }

  func writeResult(_ json: inout JSONWriter) {
    guard let salvage else { return }
    let outcome = salvage.outcome
    json.object("era") { json in
      json.field("data_block_sectors", UInt64(salvage.header.dataBlockSectors))
      json.field("blocks", UInt64(salvage.header.blockCount))
      json.field("current_era", UInt64(salvage.header.currentEra))
      json.field("current_era_before", outcome.raisedFrom.map(UInt64.init))
      json.field("superblock", "\(salvage.superblockState)")
      json.field("blocks_before", outcome.blockCountBefore.map(UInt64.init))
      json.field("trees_found", outcome.isRootFound)
    }
    json.field("whole", salvage.isWhole)
    json.field("kept_eras", outcome.kept)
    json.ranges("lost_blocks", outcome.lostBlocks)
    if !outcome.lostBlocks.isEmpty {
      json.field("lost_blocks_era", UInt64(outcome.lostBlocksEra))
    }
    json.field("impossible_eras", outcome.impossible)
    json.field("kept_writesets", outcome.keptWritesets)
    json.array("incomplete_writesets") { json in
      for era in outcome.lostWritesets { json.element(era) }
    }
    json.ranges("lost_writesets", outcome.lostEras.map { [$0] } ?? [])
    json.field("superseded_writesets", outcome.supersededWritesets)
    json.placedBlocks(outcome.placedBlocks)
  }
}
