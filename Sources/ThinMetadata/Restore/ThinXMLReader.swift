package import MetadataXML
package import PersistentData

/// Reads a pool from XML and emits it as events.
package struct ThinXMLReader<Events: ThinEvents & ~Copyable>: XMLConsumer, ~Copyable
where Events.Failure == WriteError {
  package static var rows: [XMLRowShape] {
    [
      XMLRowShape(
        "range_mapping",
        ["origin_begin", "data_begin", "length", "time"].map { .number($0) }),
      XMLRowShape(
        "single_mapping", ["origin_block", "data_block", "time"].map { .number($0) }),
      XMLRowShape("device", deviceAttributes.map { .number($0) }, isContainer: true),
    ]
  }

  private static var deviceAttributes: [String] {
    ["dev_id", "mapped_blocks", "transaction", "creation_time", "snap_time"]
  }

  private var events: Events
  private let overrides: PoolOverrides

  /// Reads all of `source` into `events`, and returns these.
  package static func read(
    _ source: ByteSource, overriding overrides: PoolOverrides, into events: consuming Events
  ) throws(XMLError) -> Events {
    var reader = ThinXMLReader(events: events, overrides: overrides)
    try XMLReader.read(into: &reader, from: { bytes in try source.read(into: &bytes) })
    // Not at the end of <superblock>: only now is it known that nothing follows it.
    try reader.finish()
    return reader.takeEvents()
  }

  private init(events: consuming Events, overrides: PoolOverrides) {
    self.events = events
    self.overrides = overrides
  }

  private mutating func finish() throws(XMLError) {
    do throws(WriteError) { try events.end() } catch { throw .consumerFailed(error) }
  }

  private consuming func takeEvents() -> Events { events }

  package mutating func start(_ tag: XMLTag) throws(XMLComplaint) {
    switch tag.name {
    case "superblock": try begin(pool: tag)
    case "def":
      try tag.allow(only: "name")
      let name = try tag.text("name")
      try emit { (events) throws(WriteError) in try events.beginShared(name) }
    case "device":
      // One that has all its attributes comes as a row.
      try tag.allow(only: "dev_id", "mapped_blocks", "transaction", "creation_time", "snap_time")
      for name in Self.deviceAttributes { _ = try tag.number(name) }
    case "ref":
      try tag.allow(only: "name")
      let name = try tag.text("name")
      try emit { (events) throws(WriteError) in try events.reference(name) }
    case "single_mapping":
      try tag.allow(only: "origin_block", "data_block", "time")
      for name in ["origin_block", "data_block", "time"] { _ = try tag.number(name) }
    case "range_mapping":
      try tag.allow(only: "origin_begin", "data_begin", "length", "time")
      for name in ["origin_begin", "data_begin", "length", "time"] { _ = try tag.number(name) }
    default: throw .content("unknown tag '\(tag.name)'")
    }
  }

  package mutating func end(_ name: String) throws(XMLComplaint) {
    switch name {
    case "def": try emit { (events) throws(WriteError) in try events.endShared() }
    case "device": try emit { (events) throws(WriteError) in try events.endDevice() }
    default: break
    }
  }

  package mutating func row(_ shape: Int, _ values: Span<UInt64>) throws(XMLComplaint) {
    if shape == 2 { return try begin(device: values) }
    let isRange = shape == 0
    let time = values[isRange ? 3 : 2]
    guard time <= UInt64(Mapping.timeMaximum) else {
      throw .content("time \(time) is larger than \(Mapping.timeMaximum)")
    }
    let run = MappingRun(
      virtualBegin: values[0], dataBegin: values[1], length: isRange ? values[2] : 1,
      time: UInt32(time))
    do throws(WriteError) { try events.run(run) } catch { throw complaint(error) }
  }

  private mutating func begin(pool tag: XMLTag) throws(XMLComplaint) {
    try tag.allow(
      only: "uuid", "time", "transaction", "flags", "version", "data_block_size",
      "nr_data_blocks", "metadata_snap")
    var pool = PoolHeader(
      time: try tag.number32("time"), transactionID: try tag.number("transaction"),
      dataBlockSectors: try tag.number32("data_block_size"),
      dataBlockCount: try tag.number("nr_data_blocks"))
    pool.uuid = tag["uuid"] ?? ""
    // Checked as numbers, and otherwise of no consequence: what is written is new and whole.
    for name in ["flags", "version", "metadata_snap"] { _ = try tag.numberIfPresent(name) }
    overrides.apply(to: &pool)
    let header = pool
    try emit { (events) throws(WriteError) in try events.begin(header) }
  }

  /// `values`: in the order of `deviceAttributes`.
  private mutating func begin(device values: Span<UInt64>) throws(XMLComplaint) {
    let device = DeviceHeader(
      id: values[0],
      details: DeviceDetails(
        mappedBlocks: values[1], transactionID: values[2],
        creationTime: try XMLTag.narrow(values[3], "creation_time", of: "device"),
        snapshottedTime: try XMLTag.narrow(values[4], "snap_time", of: "device")))
    do throws(WriteError) { try events.beginDevice(device) } catch { throw complaint(error) }
  }

  private mutating func emit(
    _ body: (inout Events) throws(WriteError) -> Void
  ) throws(XMLComplaint) {
    do throws(WriteError) { try body(&events) } catch { throw complaint(error) }
  }

  private func complaint(_ error: WriteError) -> XMLComplaint {
    if case .rejected(let reason) = error { return .content(reason) }
    return .failure(error)
  }
}
