package import MetadataXML

/// How a pool is written out as text.
package enum TextFormat: Sendable {
  case xml
  /// XML as version 0.9 wrote it: no shared runs, `flags` always there, a line end at the end.
  case xmlCompatible
  case humanReadable

  /// Whether mappings that devices share are written once and referred to.
  package var sharesRuns: Bool { self != .xmlCompatible }
}

/// Writes a pool's events as text into a buffer.
///
/// Runs that continue each other come out as one line, also where leaves meet. A dump is written
/// in pieces by several threads, so a run at the very start or end of a piece is not written but
/// kept in `head` and `tail`: the neighbouring piece may continue it.
package struct ThinTextWriter: ThinEvents, ~Copyable {
  package let format: TextFormat
  package private(set) var text = TextBuffer()
  /// The run that the piece begins with, when it begins with a run.
  package private(set) var head: MappingRun?
  /// The run that is not yet written.
  package private(set) var tail: MappingRun?
  /// Whether everything so far is one run.
  private var isAtHead: Bool

  /// `mayContinue`: whether the piece may begin within a run that started before it.
  package init(_ format: TextFormat, mayContinue: Bool = false) {
    self.format = format
    isAtHead = mayContinue
  }

  /// The text so far, handed out and forgotten.
  package mutating func takeText() -> [UInt8] { text.take() }

  package mutating func run(_ run: MappingRun) {
    if tail?.join(run) == true { return }
    if tail != nil { flush() }
    tail = run
  }

  /// Writes the run that is open, or keeps it as the piece's head.
  package mutating func flush() {
    guard let run = tail else {
      isAtHead = false
      return
    }
    tail = nil
    if isAtHead {
      head = run
      isAtHead = false
    } else {
      write(run)
    }
  }

  package mutating func begin(_ pool: PoolHeader) {
    flush()
    switch format {
    case .xml, .xmlCompatible: writeXML(pool)
    case .humanReadable: writeText(pool)
    }
  }

  package mutating func beginShared(_ name: String) {
    flush()
    if format == .humanReadable {
      text.append("def: ")
      text.append(text: name)
      text.append("\n")
    } else {
      text.startTag("def", depth: 1)
      text.attribute("name", text: name)
      text.open()
    }
  }

  package mutating func endShared() {
    flush()
    if format == .humanReadable { text.append("\n") } else { text.endTag("def", depth: 1) }
  }

  package mutating func beginDevice(_ device: DeviceHeader) {
    flush()
    if format == .humanReadable { writeText(device) } else { writeXML(device) }
  }

  package mutating func endDevice() {
    flush()
    if format == .humanReadable { text.append("\n") } else { text.endTag("device", depth: 1) }
  }

  package mutating func reference(_ name: String) {
    flush()
    if format == .humanReadable {
      text.append("    ref: ")
      text.append(text: name)
      text.append("\n")
    } else {
      text.startTag("ref", depth: 2)
      text.attribute("name", text: name)
      text.close()
    }
  }

  package mutating func end() {
    flush()
    switch format {
    // The newer form has no line end; scripts compare dumps byte by byte.
    case .xml: text.append("</superblock>")
    case .xmlCompatible: text.append("</superblock>\n")
    case .humanReadable: text.append("end superblock\n")
    }
  }

  /// Writes one run, which nothing continues.
  package mutating func write(_ run: MappingRun) {
    if format == .humanReadable {
      writeText(run)
    } else if run.length == 1 {
      text.append("    <single_mapping origin_block=\"")
      text.append(run.virtualBegin)
      text.append("\" data_block=\"")
      text.append(run.dataBegin)
      text.append("\" time=\"")
      text.append(UInt64(run.time))
      text.append("\"/>\n")
    } else {
      text.append("    <range_mapping origin_begin=\"")
      text.append(run.virtualBegin)
      text.append("\" data_begin=\"")
      text.append(run.dataBegin)
      text.append("\" length=\"")
      text.append(run.length)
      text.append("\" time=\"")
      text.append(UInt64(run.time))
      text.append("\"/>\n")
    }
  }
}

extension ThinTextWriter {
  private mutating func writeXML(_ pool: PoolHeader) {
    text.startTag("superblock", depth: 0)
    text.attribute("uuid", text: pool.uuid)
    text.attribute("time", UInt64(pool.time))
    text.attribute("transaction", pool.transactionID)
    if format == .xmlCompatible || pool.needsCheck {
      text.attribute("flags", pool.needsCheck ? 1 : 0)
    }
    text.attribute("version", UInt64(pool.version))
    text.attribute("data_block_size", UInt64(pool.dataBlockSectors))
    text.attribute("nr_data_blocks", pool.dataBlockCount)
    text.open()
  }

  private mutating func writeXML(_ device: DeviceHeader) {
    text.startTag("device", depth: 1)
    text.attribute("dev_id", device.id)
    text.attribute("mapped_blocks", device.details.mappedBlocks)
    text.attribute("transaction", device.details.transactionID)
    text.attribute("creation_time", UInt64(device.details.creationTime))
    text.attribute("snap_time", UInt64(device.details.snapshottedTime))
    text.open()
  }

  private mutating func writeText(_ pool: PoolHeader) {
    text.append("begin superblock: \"")
    text.append(text: pool.uuid)
    text.append("\"")
    for number in [
      UInt64(pool.time), pool.transactionID, pool.needsCheck ? 1 : 0, UInt64(pool.version),
      UInt64(pool.dataBlockSectors), pool.dataBlockCount,
    ] {
      text.append(", ")
      text.append(number)
    }
    text.append("\n")
  }

  private mutating func writeText(_ device: DeviceHeader) {
    line("device: ", device.id)
    line("mapped_blocks: ", device.details.mappedBlocks)
    line("transaction: ", device.details.transactionID)
    line("creation time: ", UInt64(device.details.creationTime))
    line("snap time: ", UInt64(device.details.snapshottedTime))
  }

  private mutating func line(_ title: StaticString, _ number: UInt64) {
    text.append(title)
    text.append(number)
    text.append("\n")
  }

  private mutating func writeText(_ run: MappingRun) {
    text.append("    (")
    text.append(run.virtualBegin)
    text.append("..")
    text.append(run.virtualLast)
    text.append(") -> (")
    text.append(run.dataBegin)
    text.append("..")
    text.append(run.dataBegin + run.length - 1)
    text.append("), ")
    text.append(UInt64(run.time))
    text.append("\n")
  }
}
