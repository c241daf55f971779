internal import MetadataXML
package import PersistentData

/// Writes era metadata as XML.
package struct EraTextWriter: EraEvents, ~Copyable {
  /// Text that is worth a system call.
  private static let flushSize = 1 << 16

  private let sink: ByteSink
  private var text = TextBuffer()

  package init(_ sink: ByteSink) { self.sink = sink }

  package mutating func begin(_ header: EraHeader) throws(ByteSink.Failure) {
    text.startTag("superblock", depth: 0)
    text.attribute("uuid", text: header.uuid)
    text.attribute("block_size", UInt64(header.dataBlockSectors))
    text.attribute("nr_blocks", UInt64(header.blockCount))
    text.attribute("current_era", UInt64(header.currentEra))
    text.open()
  }

  package mutating func beginWriteset(
    era: UInt64, bitCount: UInt32
  ) throws(ByteSink.Failure) {
    text.startTag("writeset", depth: 1)
    text.attribute("era", era)
    text.attribute("nr_bits", UInt64(bitCount))
    text.open()
  }

  package mutating func marked(_ blocks: Range<UInt64>) throws(ByteSink.Failure) {
    text.append("    <marked block_begin=\"")
    text.append(blocks.lowerBound)
    text.append("\" len=\"")
    text.append(blocks.upperBound - blocks.lowerBound)
    text.append("\"/>\n")
    try writeIfEnough()
  }

  package mutating func endWriteset() throws(ByteSink.Failure) {
    text.endTag("writeset", depth: 1)
  }

  package mutating func beginEraArray() throws(ByteSink.Failure) {
    text.startTag("era_array", depth: 1)
    text.open()
  }

  package mutating func era(_ era: UInt32, of block: UInt64) throws(ByteSink.Failure) {
    text.append("    <era block=\"")
    text.append(block)
    text.append("\" era=\"")
    text.append(UInt64(era))
    text.append("\"/>\n")
    try writeIfEnough()
  }

  package mutating func endEraArray() throws(ByteSink.Failure) {
    text.endTag("era_array", depth: 1)
  }

  package mutating func end() throws(ByteSink.Failure) {
    text.endTag("superblock", depth: 0)
    try write()
  }

  private mutating func writeIfEnough() throws(ByteSink.Failure) {
    if text.count >= EraTextWriter.flushSize { try write() }
  }

  private mutating func write() throws(ByteSink.Failure) {
    try sink.write(text.bytes)
    text.removeAll()
  }
}
