internal import PersistentData
internal import ThinMetadata

/// Which devices map some data blocks, as a JSON document.
///
/// man/thin_rmap.schema.json describes every field.
struct ReverseDocument {
  static let version = 1

  let input: String
  let names: VolumeNames
  /// Byte offsets on the data device; empty if blocks were asked for.
  let places: [UInt64]
  /// Bytes in a data block.
  let blockSize: UInt64

  func write(_ map: inout ReverseMap, to sink: ByteSink) throws(ByteSink.Failure) {
    var json = JSONWriter(sink)
    json.object { json in
      json.head("thin_rmap", version: ReverseDocument.version, input: input)
      json.field("data_block_sectors", blockSize / 512)
      if places.isEmpty {
        json.array("mappings") { json in
          map.forEachRun { run in json.object { json in write(run, &json) } }
        }
      } else {
        json.array("byte_offsets") { json in
          for place in FoundPlaces(places, &map, blockSize: blockSize).places {
            json.object { json in write(place, &json) }
          }
        }
      }
      json.field("complete", map.findings.worst != .error && map.devicesNotWhole.isEmpty)
    }
    try json.finish()
  }

  private func write(_ run: ReverseRun, _ json: inout JSONWriter) {
    json.field("data_begin", run.dataBegin)
    json.field("length", run.length)
    json.field("device", run.device)
    json.field("name", names[run.device])
    json.field("virtual_begin", run.virtualBegin)
  }

  private func write(_ place: FoundPlaces.Place, _ json: inout JSONWriter) {
    json.field("byte", place.byte)
    json.field("data_block", place.byte / max(1, blockSize))
    json.array("devices") { json in
      for user in place.users {
        json.object { json in
          json.field("device", user.device)
          json.field("name", names[user.device])
          json.field("byte", user.byte)
        }
      }
    }
  }
}
