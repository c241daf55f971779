internal import MetadataXML
package import PersistentData

/// Writes cache metadata as XML.
package struct CacheTextWriter: CacheEvents, ~Copyable {
  /// Text that is worth a system call.
  private static let flushSize = 1 << 16

  private let sink: ByteSink
  private var text = TextBuffer()
  private var hasHints = false

  package init(_ sink: ByteSink) { self.sink = sink }

  package mutating func begin(_ header: CacheHeader) throws(ByteSink.Failure) {
    text.startTag("superblock", depth: 0)
    text.attribute("uuid", text: header.uuid)
    text.attribute("block_size", UInt64(header.dataBlockSectors))
    text.attribute("nr_cache_blocks", UInt64(header.cacheBlockCount))
    text.attribute("policy", text: header.policy)
    text.attribute("hint_width", UInt64(header.hintSize))
    text.open()
    text.startTag("mappings", depth: 1)
    text.open()
  }

  package mutating func mapping(_ mapping: CacheBlockMapping) throws(ByteSink.Failure) {
    text.append("    <mapping cache_block=\"")
    text.append(mapping.cacheBlock)
    text.append("\" origin_block=\"")
    text.append(mapping.originBlock)
    if mapping.isDirty {
      text.append("\" dirty=\"true\"/>\n")
    } else {
      text.append("\" dirty=\"false\"/>\n")
    }
    try writeIfEnough()
  }

  package mutating func beginHints() throws(ByteSink.Failure) {
    hasHints = true
    text.endTag("mappings", depth: 1)
    text.startTag("hints", depth: 1)
    text.open()
  }

  package mutating func hint(
    _ hint: UInt32, of cacheBlock: UInt64
  ) throws(ByteSink.Failure) {
    text.append("    <hint cache_block=\"")
    text.append(cacheBlock)
    text.append("\" data=\"")
    Base64.append(hint, to: &text)
    text.append("\"/>\n")
    try writeIfEnough()
  }

  package mutating func end() throws(ByteSink.Failure) {
    text.endTag(hasHints ? "hints" : "mappings", depth: 1)
    text.endTag("superblock", depth: 0)
    try write()
  }

  private mutating func writeIfEnough() throws(ByteSink.Failure) {
    if text.count >= CacheTextWriter.flushSize { try write() }
  }

  private mutating func write() throws(ByteSink.Failure) {
    try sink.write(text.bytes)
    text.removeAll()
  }
}
