internal import PersistentData
internal import ThinMetadata

/// The devices of a pool, as a JSON document.
///
/// man/thin_ls.schema.json describes every field of this and of `FreedDocument`.
struct ListDocument {
  static let version = 1

  private let listing: PoolListing
  private let input: String
  private let isOfMetadataSnapshot: Bool

  /// `input`: as the user named it.
  init(_ listing: PoolListing, input: String, ofMetadataSnapshot: Bool) {
    self.listing = listing
    self.input = input
    isOfMetadataSnapshot = ofMetadataSnapshot
  }

  func write(to sink: ByteSink) throws(ByteSink.Failure) {
    var json = JSONWriter(sink)
    json.object { json in
      json.head("thin_ls", version: ListDocument.version, input: input)
      json.object("pool") { json in
        json.field("metadata_snapshot", isOfMetadataSnapshot)
        json.field("transaction_id", listing.pool.transactionID)
        json.field("time", UInt64(listing.pool.time))
        json.field("data_block_sectors", UInt64(listing.pool.dataBlockSectors))
        json.field("data_blocks", listing.pool.dataBlockCount)
      }
      json.field("damaged", listing.isDamaged)
      json.field("counted", listing.hasCounts)
      json.array("devices") { json in
        for device in listing.devices { json.object { json in write(device, &json) } }
      }
    }
    try json.finish()
  }

  private func write(_ device: ListedDevice, _ json: inout JSONWriter) {
    json.field("device", device.id)
    json.field("name", device.name)
    json.field("mapped_blocks", device.details?.mappedBlocks)
    json.field("exclusive_blocks", device.counts?.exclusive)
    json.field("shared_blocks", device.counts?.shared)
    json.field("highest_block", device.counts?.highest)
    json.field("transaction_id", device.details?.transactionID)
    json.field("creation_time", device.details.map { UInt64($0.creationTime) })
    json.field("snapshotted_time", device.details.map { UInt64($0.snapshottedTime) })
  }
}

/// What deleting devices would free, as a JSON document.
struct FreedDocument {
  private let freed: FreedBlocks
  private let ids: [UInt64]
  private let input: String
  private let sectorsPerBlock: UInt64

  init(_ freed: FreedBlocks, _ ids: [UInt64], input: String, sectorsPerBlock: UInt64) {
    self.freed = freed
    self.ids = ids
    self.input = input
    self.sectorsPerBlock = sectorsPerBlock
  }

  func write(to sink: ByteSink) throws(ByteSink.Failure) {
    var json = JSONWriter(sink)
    json.object { json in
      json.head("thin_ls", version: ListDocument.version, input: input)
      json.object("free_if_deleted") { json in
        json.array("devices") { json in for id in ids { json.element(id) } }
        json.field("data_block_sectors", sectorsPerBlock)
        json.field("blocks", freed.count)
        json.field("blocks_held_by_metadata_snapshot", freed.heldCount)
      }
    }
    try json.finish()
  }
}
