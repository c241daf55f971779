package import MetadataXML
package import PersistentData

/// Reads cache metadata from XML and has it written.
package struct CacheXMLReader: XMLConsumer {
  package static var rows: [XMLRowShape] {
    ["false", "true"].map { dirty in
      XMLRowShape(
        "mapping", [.number("cache_block"), .number("origin_block"), .text("dirty", dirty)])
    } + [XMLRowShape("hint", [.number("cache_block"), .base64("data")])]
  }

  private var restorer: CacheRestorer

  /// Reads all of `source` into `restorer`, and returns it.
  package static func read(
    _ source: ByteSource, into restorer: CacheRestorer
  ) throws(XMLError) -> CacheRestorer {
    var reader = CacheXMLReader(restorer)
    try XMLReader.read(into: &reader, from: { bytes in try source.read(into: &bytes) })
    do throws(WriteError) { try reader.restorer.end() } catch { throw .consumerFailed(error) }
    return reader.restorer
  }

  private init(_ restorer: CacheRestorer) { self.restorer = restorer }

  package mutating func start(_ tag: XMLTag) throws(XMLComplaint) {
    switch tag.name {
    case "superblock": try begin(tag)
    case "mappings": try tag.allow(only: "")
    case "mapping":
      try tag.allow(only: "cache_block", "origin_block", "dirty")
      for name in ["cache_block", "origin_block"] { _ = try tag.number(name) }
      let dirty = try tag.text("dirty")
      throw .content("attribute 'dirty' of tag 'mapping' is '\(dirty)', neither true nor false")
    case "hints":
      try tag.allow(only: "")
      try emit { (restorer) throws(WriteError) in try restorer.beginHints() }
    case "hint":
      try tag.allow(only: "cache_block", "data")
      _ = try tag.number("cache_block")
      let data = try tag.text("data")
      throw .content("attribute 'data' of tag 'hint' is not base64 of 4 bytes (found '\(data)')")
    // Discards are only a help to the kernel, and a wrong one loses data: they are not taken over.
    case "discards": try tag.allow(only: "")
    case "discard": try tag.allow(only: "dbegin", "dend")
    default: throw .content("unknown tag '\(tag.name)'")
    }
  }

  package mutating func end(_ name: String) throws(XMLComplaint) {}

  package mutating func row(_ shape: Int, _ values: Span<UInt64>) throws(XMLComplaint) {
    do throws(WriteError) {
      if shape == 2 {
        try restorer.hint(UInt32(truncatingIfNeeded: values[1]), of: values[0])
      } else {
        try restorer.mapping(
          CacheBlockMapping(
            cacheBlock: values[0], originBlock: values[1], isDirty: shape == 1))
      }
    } catch {
      throw complaint(error)
    }
  }

  private mutating func begin(_ tag: XMLTag) throws(XMLComplaint) {
    try tag.allow(only: "uuid", "block_size", "nr_cache_blocks", "policy", "hint_width")
    var header = CacheHeader(
      dataBlockSectors: try tag.number32("block_size"),
      cacheBlockCount: try tag.number32("nr_cache_blocks"), policy: try tag.text("policy"),
      hintSize: try tag.number32("hint_width"))
    header.uuid = tag["uuid"] ?? ""
    let whole = header
    try emit { (restorer) throws(WriteError) in try restorer.begin(whole) }
  }

  private mutating func emit(
    _ body: (inout CacheRestorer) throws(WriteError) -> Void
  ) throws(XMLComplaint) {
    do throws(WriteError) { try body(&restorer) } catch { throw complaint(error) }
  }

  private func complaint(_ error: WriteError) -> XMLComplaint {
    if case .rejected(let reason) = error { return .content(reason) }
    return .failure(error)
  }
}
