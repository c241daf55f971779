internal import PersistentData
internal import ThinMetadata

/// A comparison of two devices, as a JSON document.
///
/// man/thin_delta.schema.json describes every field.
struct DeltaDocument {
  static let version = 1

  private let input: String
  private let isOfMetadataSnapshot: Bool

  /// `input`: as the user named it.
  init(input: String, ofMetadataSnapshot: Bool) {
    self.input = input
    isOfMetadataSnapshot = ofMetadataSnapshot
  }

  /// If damage cuts the document short, it isn't closed.
  func write(
    _ delta: TreeDelta, _ left: DeltaSide, _ right: DeltaSide, _ reader: PoolReader,
    to sink: ByteSink
  ) throws(DumpError) {
    var json = JSONWriter(sink)
    try json.object { (json) throws(DumpError) in
      json.head("thin_delta", version: DeltaDocument.version, input: input)
      json.object("pool") { json in
        json.field("metadata_snapshot", isOfMetadataSnapshot)
        json.field("transaction_id", reader.header.transactionID)
        json.field("time", UInt64(reader.header.time))
        json.field("data_block_sectors", UInt64(reader.header.dataBlockSectors))
        json.field("data_blocks", reader.dataBlockCount)
      }
      json.object("left") { json in write(left, &json) }
      json.object("right") { json in write(right, &json) }
      json.field("skips_same", delta.skipsSame)
      try json.array("ranges") { (json) throws(DumpError) in
        try delta.run(left, right, in: reader) { run in
          json.object { json in write(run, &json) }
        }
      }
    }
    do throws(ByteSink.Failure) { try json.finish() } catch { throw .output(error) }
  }

  private func write(_ side: DeltaSide, _ json: inout JSONWriter) {
    if case .device(let id) = side.name { json.field("device", id) }
    json.field("root", UInt64(side.root.number))
  }

  private func write(_ run: DeltaRun, _ json: inout JSONWriter) {
    json.field("kind", run.kind.rawValue)
    json.field("begin", run.begin)
    json.field("length", run.length)
    json.field("left_data_begin", run.leftData)
    json.field("right_data_begin", run.rightData)
  }
}
