internal import PersistentData
internal import ThinMetadata

/// What `thin_repair` recovered and lost, as a JSON document.
///
/// man/thin_repair.schema.json describes every field; `version` goes up when one of them vanishes
/// or changes its meaning, not when one is added.
struct RepairDocument: RepairReport {
  var common: RepairReportHead
  let acceptance: Provenance
  /// What was found; `nil` when nothing could be salvaged.
  var result: (salvage: Salvage, spaceMaps: OldSpaceMaps)?

  init(input: String, acceptance: Provenance) {
    common = RepairReportHead(tool: "thin_repair", input: input)
    self.acceptance = acceptance
  }

  func writeOptions(_ json: inout JSONWriter) { json.field("accept", "\(acceptance)") }

  func writeResult(_ json: inout JSONWriter) {
    if let (salvage, spaceMaps) = result { write(salvage, spaceMaps, &json) }
  }

  private func write(
    _ salvage: Salvage, _ spaceMaps: OldSpaceMaps, _ json: inout JSONWriter
  ) {
    let size = BlockSize(sectors: salvage.header.dataBlockSectors)
    json.object("pool") { json in
      let corrections = salvage.corrections
      json.field("transaction_id", salvage.header.transactionID)
      json.field("transaction_id_guessed", corrections.isTransactionGuessed)
      json.field("time", UInt64(salvage.header.time))
      json.field("data_block_sectors", UInt64(salvage.header.dataBlockSectors))
      json.field("data_blocks", salvage.header.dataBlockCount)
      json.field("data_blocks_before", corrections.dataBlockCountBefore)
    }
    if let search = salvage.search {
      json.object("lost_superblock") { json in
        json.field("other_states", search.otherStates)
        json.field("doubtful", search.isDoubtful)
        json.field("exhaustive", search.isExhaustive)
      }
    }
    json.field("drop_overwritten", salvage.dropsOverwritten)
    json.field("overwritten_data_complete", salvage.overwrittenData.isComplete)
    let overwritten = Dictionary(
      salvage.overwrittenData.devices.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    json.array("devices") { json in
      for device in salvage.results {
        json.object { json in
          write(device, of: salvage, size, &json)
          json.overwritten(overwritten[device.id] ?? .init(id: device.id), size)
        }
      }
    }
    json.array("dropped_devices") { json in
      for id in salvage.droppedDevices { json.element(id) }
    }
    json.ranges("lost_device_ids", salvage.lostIDs)
    json.object("unmapped_data") { json in
      json.field("complete", spaceMaps.isComplete)
      json.field("blocks", spaceMaps.unmappedCount)
      json.field("bytes", size.bytes(spaceMaps.unmappedCount))
      json.ranges("ranges", spaceMaps.unmapped)
    }
    write(salvage.grafting, spaceMaps, &json)
  }

  private func write(
    _ device: Salvage.DeviceResult, of salvage: Salvage, _ size: BlockSize,
    _ json: inout JSONWriter
  ) {
    json.field("device", device.id)
    json.field("mapped_blocks", device.mappedBlocks)
    json.field("mapped_blocks_before", device.mappedBlocksBefore)
    json.field("whole", device.isWhole)
    json.field("doubtful", device.isDoubtful)
    let renamed = salvage.renamed.first { $0.id == device.id }
    json.field("impossible_id", renamed?.impossibleID)
    json.field(
      "made_up",
      salvage.grafting.madeUpDevices.contains(device.id) || renamed?.isMadeUp == true)
    json.object("kept") { json in
      for provenance in Provenance.allCases where provenance <= acceptance {
        json.field("\(provenance)", device.kept[provenance, default: 0])
      }
    }
    json.object("left_out") { json in
      for provenance in Provenance.allCases where provenance > acceptance {
        json.field("\(provenance)", device.leftOut[provenance, default: 0])
      }
    }
    json.ranges("lost", device.lost, size)
    json.array("from_lost_leaves") { json in
      for leaf in device.lostLeaves {
        for run in leaf.claimRuns {
          json.object { json in
            json.field("first", run.mapping.virtualBegin)
            json.field("last", run.mapping.virtualLast)
            json.field("data_first", run.mapping.dataBegin)
            json.field("provenance", "\(run.provenance)")
            json.field("accepted", run.provenance <= acceptance)
          }
        }
      }
    }
  }

  private func write(
    _ grafting: Grafting, _ spaceMaps: OldSpaceMaps, _ json: inout JSONWriter
  ) {
    json.array("remade_nodes") { json in
      for node in grafting.nodes { json.element(UInt64(node.block.number)) }
    }
    json.array("damaged_blocks") { json in
      for block in grafting.damagedBlocks + spaceMaps.damagedBlocks {
        json.object { json in
          json.field("block", block.block)
          json.field("structure", block.structure)
          json.field("look", block.look.rawValue)
          json.field("copy_of", block.copyOf)
        }
      }
    }
  }
}
