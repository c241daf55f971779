internal import PersistentData
internal import ThinMetadata

/// The fields that only a check of a thin pool has.
extension JSONWriter {
  mutating func check(_ report: CheckReport) {
    if let superblock = report.superblock, let transactionID = report.transactionID {
      object("pool") { json in json.pool(superblock, transactionID) }
    }
    array("affected_devices") { json in
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
      overwritten(report.overwrittenData, BlockSize(sectors: sectors))
    }
    ranges("lost_device_ids", report.lostIDs)
  }

  private mutating func overwritten(_ data: OverwrittenData, _ size: BlockSize) {
    field("overwritten_data_complete", data.isComplete)
    array("overwritten_data") { json in
      for device in data.devices {
        json.object { json in
          json.field("device", device.id)
          json.overwritten(device, size)
        }
      }
    }
  }

  fileprivate mutating func pool(_ superblock: Superblock, _ transactionID: UInt64) {
    field("transaction_id", transactionID)
    field("data_block_sectors", UInt64(superblock.dataBlockSectors))
    field("needs_check", superblock.needsCheck)
    field("metadata_snapshot", superblock.heldRoot == 0 ? nil : superblock.heldRoot)
    let metadata = MetadataSpace(superblock.metadataSpaceMap)
    object("metadata_blocks") { json in
      json.field("total", superblock.metadataSpaceMap.blockCount)
      json.field("free", metadata.free)
      json.field("reserve", metadata.reserve)
      json.field("low_watermark", metadata.lowWatermark)
    }
    object("data_blocks") { json in
      json.field("total", superblock.dataSpaceMap.blockCount)
      json.field("allocated", superblock.dataSpaceMap.allocatedCount)
    }
  }
}
