internal import MetadataXML
package import PersistentData

/// Which blocks may have been written since an era: what a backup, or a cache in front of the
/// device, has to read anew.
///
/// A block counts if the era array has that era or a later one for it, or if a writeset from that
/// era on, archived or current, contains it. The metadata snapshot has no current writeset: what
/// was written in its own era is in the live metadata only.
package struct WrittenBlocks: Sendable {
  /// One bit for each block of the device.
  package let blocks: Bitset

  /// Throws if anything that counts can't be read, or a metadata snapshot is wanted and there is
  /// none: a backup would miss any block left out.
  package init(
    _ reader: inout EraReader, since era: UInt64, inSnapshot: Bool
  ) throws(ReadError<Never>) {
    guard reader.findings.worst != .error, let view = inSnapshot ? reader.held : reader.live
    else { throw .damaged(reader.findings) }
    var blocks = Bitset(bitCount: Int(view.superblock.blockCount))
    for writeset in view.archived + (view.current.map { [$0] } ?? []) where writeset.era >= era {
      guard let bits = reader.readBits(of: writeset) else { throw .damaged(reader.findings) }
      blocks.formUnion(bits)
    }
    var array = view.eraArray
    // No block can have been written in a later era.
    let era = UInt32(clamping: era)
    let visitors = array.readBlocks(findings: &reader.findings) { SinceVisitor(era) }
    guard reader.findings.worst != .error else { throw .damaged(reader.findings) }
    for (first, words) in visitors.lazy.flatMap(\.written) { blocks.set(words.span, from: first) }
    self.blocks = blocks
  }
}

extension WrittenBlocks {
  /// Writes ranges, `end` being one past the last block, and single blocks.
  package func writeXML(to sink: ByteSink) throws(ByteSink.Failure) {
    var text = TextBuffer()
    text.append("<blocks>\n")
    try blocks.forEachRange { (range) throws(ByteSink.Failure) in
      if range.count == 1 {
        text.append("  <block block=\"")
        text.append(range.lowerBound)
      } else {
        text.append("  <range begin=\"")
        text.append(range.lowerBound)
        text.append("\" end=\"")
        text.append(range.upperBound)
      }
      text.append("\"/>\n")
      if text.count >= WrittenBlocks.writtenAtOnce {
        try sink.write(text.bytes)
        text.removeAll()
      }
    }
    text.append("</blocks>\n")
    try sink.write(text.bytes)
  }

  /// Bytes of text that are worth a system call.
  private static let writtenAtOnce = 1 << 16
}

/// Notes which blocks were last written in an era, or later.
private struct SinceVisitor: ArrayVisitor {
  private let era: UInt32
  /// By array block: a bit for each block of the origin from `first` on.
  private(set) var written: [(first: UInt64, words: [UInt64])] = []

  init(_ era: UInt32) { self.era = era }

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    let first = UInt64(place) * EraReader.Structure.eraArray.entriesPerBlock
    written.append((first, block.isAtLeast(era, wanted)))
  }
}
