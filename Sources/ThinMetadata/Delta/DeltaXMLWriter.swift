internal import MetadataXML
package import PersistentData

/// Writes a comparison as XML, an element per line, in the form of thin-provisioning-tools.
package struct DeltaXMLWriter: ~Copyable {
  private static let flushSize = 1 << 16

  private let sink: ByteSink
  private let isVerbose: Bool
  private let isCompatible: Bool
  private var text = TextBuffer()
  /// The element that is open, with ranges in it.
  private var kind: DeltaKind?

  /// `isVerbose`: with data blocks. `isCompatible`: as version 0.9 wrote it.
  package init(_ sink: ByteSink, isVerbose: Bool, isCompatible: Bool) {
    self.sink = sink
    self.isVerbose = isVerbose
    self.isCompatible = isCompatible
  }

  /// `heldRoot`: the block of the metadata snapshot; 0 when there is none.
  package mutating func begin(
    _ pool: PoolHeader, heldRoot: UInt64, _ left: DeltaSide.Name, _ right: DeltaSide.Name
  ) {
    text.startTag("superblock", depth: 0)
    text.attribute("uuid", text: pool.uuid)
    text.attribute("time", UInt64(pool.time))
    text.attribute("transaction", pool.transactionID)
    if !isCompatible, pool.needsCheck { text.attribute("flags", 1) }
    text.attribute("data_block_size", UInt64(pool.dataBlockSectors))
    text.attribute("nr_data_blocks", pool.dataBlockCount)
    if isCompatible, heldRoot != 0 { text.attribute("metadata_snap", heldRoot) }
    text.open()
    text.startTag("diff", depth: 1)
    switch left {
    case .device(let id): text.attribute("left", id)
    case .root(let block): text.attribute("left_root", block)
    }
    switch right {
    case .device(let id): text.attribute("right", id)
    case .root(let block): text.attribute("right_root", block)
    }
    text.open()
  }

  package mutating func write(_ run: DeltaRun) throws(ByteSink.Failure) {
    if isVerbose {
      if kind != run.kind {
        closeKind()
        text.startTag(DeltaXMLWriter.tag(run.kind), depth: 2)
        text.open()
        kind = run.kind
      }
      writeRange(run)
    } else {
      // Nearly all lines are like this, so there are as few appends as possible.
      text.append(DeltaXMLWriter.opening(run.kind))
      text.append(run.begin)
      text.append("\" length=\"")
      text.append(run.length)
      text.append("\"/>\n")
    }
    if text.count > DeltaXMLWriter.flushSize { try writeOut() }
  }

  package mutating func end() throws(ByteSink.Failure) {
    closeKind()
    text.endTag("diff", depth: 1)
    // The newer form has no line end.
    text.append(isCompatible ? "</superblock>\n" : "</superblock>")
    try writeOut()
  }

  private mutating func writeRange(_ run: DeltaRun) {
    text.startTag("range", depth: 3)
    text.attribute("begin", run.begin)
    if run.kind == .different, let left = run.leftData, let right = run.rightData {
      text.attribute("left_data_begin", left)
      text.attribute("right_data_begin", right)
    } else if let data = run.leftData ?? run.rightData {
      text.attribute("data_begin", data)
    }
    text.attribute("length", run.length)
    text.close()
  }

  private mutating func closeKind() {
    if let kind { text.endTag(DeltaXMLWriter.tag(kind), depth: 2) }
    kind = nil
  }

  private mutating func writeOut() throws(ByteSink.Failure) {
    try sink.write(text.bytes)
    text.removeAll()
  }

  /// An element of depth 2, as far as its first number.
  private static func opening(_ kind: DeltaKind) -> StaticString {
    switch kind {
    case .same: "    <same begin=\""
    case .different: "    <different begin=\""
    case .leftOnly: "    <left_only begin=\""
    case .rightOnly: "    <right_only begin=\""
    }
  }

  private static func tag(_ kind: DeltaKind) -> StaticString {
    switch kind {
    case .same: "same"
    case .different: "different"
    case .leftOnly: "left_only"
    case .rightOnly: "right_only"
    }
  }
}
