internal import CacheMetadata
internal import PersistentData

/// What `cache_repair` recovered and lost, as a JSON document.
///
/// man/cache_repair.schema.json describes every field.
struct CacheRepairDocument: RepairReport {
  var common: RepairReportHead
  /// What was found; `nil` when nothing could be salvaged.
  var salvage: CacheSalvage?

  init(input: String) { common = RepairReportHead(tool: "cache_repair", input: input) }

  func writeResult(_ json: inout JSONWriter) {
    guard let salvage else { return }
    let outcome = salvage.outcome
    json.object("cache") { json in
      json.field("metadata_version", UInt64(salvage.version))
      json.field("data_block_sectors", UInt64(salvage.header.dataBlockSectors))
      json.field("cache_blocks", UInt64(salvage.header.cacheBlockCount))
      json.field("policy", salvage.header.policy)
      json.field("superblock", "\(salvage.superblockState)")
      json.field("clean_shutdown", salvage.isCleanShutdown)
      json.field("cache_blocks_before", outcome.cacheBlocksBefore.map(UInt64.init))
      json.field("metadata_version_before", outcome.versionBefore.map(UInt64.init))
      json.field("mappings_found", outcome.isRootFound)
      json.field("other_states", outcome.otherStates)
    }
    json.field("whole", salvage.isWhole)
    json.field("kept_mappings", outcome.kept)
    json.field("known_mappings", outcome.known)
    json.field("dirty", outcome.dirty)
    json.field("taken_for_dirty", outcome.takenForDirty)
    json.field("hints", outcome.hints)
    json.field("lost_hints", outcome.lostHints)
    json.ranges("lost", outcome.lost)
    json.ranges("impossible", outcome.impossible)
    json.ranges("contested", outcome.contested)
    json.array("blocks_without_place") { json in
      for part in outcome.openParts {
        json.object { json in
          json.field("block", UInt64(part.block.number))
          json.field("mappings", part.mappingCount)
        }
      }
    }
    json.placedBlocks(outcome.placedBlocks)
  }
}
