package import MetadataXML
package import PersistentData

/// Reads era metadata from XML and has it written.
package struct EraXMLReader: XMLConsumer {
  package static var rows: [XMLRowShape] {
    [
      XMLRowShape("era", [.number("block"), .number("era")]),
      XMLRowShape("marked", [.number("block_begin"), .number("len")]),
      XMLRowShape("bit", [.number("block"), .text("value", "true")]),
      XMLRowShape("bit", [.number("block"), .text("value", "false")]),
    ]
  }

  private var restorer: EraRestorer

  /// Reads all of `source` into `restorer`, and returns it.
  package static func read(
    _ source: ByteSource, into restorer: EraRestorer
  ) throws(XMLError) -> EraRestorer {
    var reader = EraXMLReader(restorer)
    try XMLReader.read(into: &reader, from: { bytes in try source.read(into: &bytes) })
    do throws(WriteError) { try reader.restorer.end() } catch { throw .consumerFailed(error) }
    return reader.restorer
  }

  private init(_ restorer: EraRestorer) { self.restorer = restorer }

  package mutating func start(_ tag: XMLTag) throws(XMLComplaint) {
    switch tag.name {
    case "superblock":
      try tag.allow(only: "uuid", "block_size", "nr_blocks", "current_era")
      var header = EraHeader(
        dataBlockSectors: try tag.number32("block_size"), blockCount: try tag.number32("nr_blocks"),
        currentEra: try tag.number32("current_era"))
      header.uuid = tag["uuid"] ?? ""
      let whole = header
      try emit { (restorer) throws(WriteError) in try restorer.begin(whole) }
    case "writeset":
      try tag.allow(only: "era", "nr_bits")
      let era = try tag.number("era")
      let bitCount = try tag.number32("nr_bits")
      try emit { (restorer) throws(WriteError) in
        try restorer.beginWriteset(era: era, bitCount: bitCount)
      }
    case "era_array":
      try tag.allow(only: "")
      try emit { (restorer) throws(WriteError) in try restorer.beginEraArray() }
    case "era":
      try tag.allow(only: "block", "era")
      for name in ["block", "era"] { _ = try tag.number(name) }
    case "marked":
      try tag.allow(only: "block_begin", "len")
      for name in ["block_begin", "len"] { _ = try tag.number(name) }
    case "bit":
      try tag.allow(only: "block", "value")
      _ = try tag.number("block")
      throw .content("attribute 'value' of tag 'bit' is neither true nor false")
    default: throw .content("unknown tag '\(tag.name)'")
    }
  }

  package mutating func end(_ name: String) throws(XMLComplaint) {
    switch name {
    case "writeset": try emit { (restorer) throws(WriteError) in try restorer.endWriteset() }
    case "era_array": try emit { (restorer) throws(WriteError) in try restorer.endEraArray() }
    default: break
    }
  }

  package mutating func row(_ shape: Int, _ values: Span<UInt64>) throws(XMLComplaint) {
    do throws(WriteError) {
      switch shape {
      case 0:
        guard let era = UInt32(exactly: values[1]) else {
          throw .rejected("era \(values[1]) is too large")
        }
        try restorer.era(era, of: values[0])
      case 1:
        let end = values[0].addingReportingOverflow(values[1])
        guard !end.overflow else { throw .rejected("len \(values[1]) is too large") }
        try restorer.marked(values[0]..<end.partialValue)
      case 2:
        guard values[0] < .max else { throw .rejected("block \(values[0]) is too large") }
        try restorer.marked(values[0]..<values[0] + 1)
      default: break
      }
    } catch {
      throw complaint(error)
    }
  }

  private mutating func emit(
    _ body: (inout EraRestorer) throws(WriteError) -> Void
  ) throws(XMLComplaint) {
    do throws(WriteError) { try body(&restorer) } catch { throw complaint(error) }
  }

  private func complaint(_ error: WriteError) -> XMLComplaint {
    if case .rejected(let reason) = error { return .content(reason) }
    return .failure(error)
  }
}
