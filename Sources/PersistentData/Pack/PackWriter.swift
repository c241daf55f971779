internal import Threads

/// Packs metadata: all blocks of a device or file with a known checksum, whatever refers to them.
///
/// Records are made on all cores and written in the order of their blocks, so that the same
/// metadata makes the same file. Memory doesn't grow with the device.
package struct PackWriter {
  /// Blocks to read for one record; version 1.x puts no more into one.
  private static let recordBlocks: UInt64 = 1024
  /// More workers would only wait for the writer.
  private static let workersMaximum = 6

  private let file: BlockFile
  private let includesDamaged: Bool

  /// `includesDamaged`: also packs blocks with no known checksum, which only our reader can read.
  ///
  /// Throws if no block has a known checksum.
  package init(_ file: BlockFile, includesDamaged: Bool) throws(PackError) {
    guard file.blockCount <= PackLayout.blockCountMaximum
    else { throw .tooLarge(blockCount: file.blockCount) }
    self.file = file
    self.includesDamaged = includesDamaged
    if !holdsMetadata() { throw .noMetadata }
  }

  private func holdsMetadata() -> Bool {
    let buffer = BlockBuffer(blocks: 1)
    for number in 0..<file.blockCount {
      // Unreadable blocks are reported when packing.
      do throws(IOError) { try buffer.read(file, from: number, count: 1) } catch { continue }
      if BlockKind(of: buffer[0]) != nil { return true }
    }
    return false
  }

  /// Writes the whole file; if this throws, the output is useless.
  package func write(to sink: ByteSink) throws(PackError) -> PackContents {
    file.progress.begin("packing", total: Int(file.blockCount))
    var contents = PackContents()
    contents.blockCount = file.blockCount
    try PackWriter.write(header + PackWriter.ownRecord(.begin), to: sink)
    let blockCount = file.blockCount
    var next: UInt64 = 0
    let (file, includesDamaged) = (file, includesDamaged)
    let workers = min(Workers.coreCount, PackWriter.workersMaximum)
    let pipeline = OrderedPipeline(helpers: workers - 1, depth: workers + 2) {
      RecordMaker(file, includesDamaged: includesDamaged)
    } transform: { (maker: inout RecordMaker, blocks: Range<UInt64>) in
      maker.make(blocks)
    }
    try pipeline.run {
      if next == blockCount { return nil }
      defer { next = min(blockCount, next + PackWriter.recordBlocks) }
      return next..<min(blockCount, next + PackWriter.recordBlocks)
    } consume: { (made) throws(PackError) in
      if let error = made.error, !includesDamaged { throw .input(error) }
      try PackWriter.write(made.bytes, to: sink)
      contents.sound.add(made.sound)
      contents.damaged.add(made.damaged)
      contents.unreadable.add(made.unreadable)
    }
    contents.hasSuperblock = contents.sound.first.first == 0
    try PackWriter.write(PackWriter.ownRecord(.end, end(contents)), to: sink)
    return contents
  }

  private var header: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: PackLayout.size)
    bytes.edit { fields in
      fields[PackLayout.magic] = PackLayout.magicValue
      fields[PackLayout.version] = PackLayout.versionValue
      fields[PackLayout.blockSize] = UInt64(MetadataBlock.size)
      fields[PackLayout.blockCount] = file.blockCount
    }
    return bytes
  }

  private func end(_ contents: PackContents) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: PackLayout.End.size)
    bytes.edit { fields in
      fields[PackLayout.End.soundCount] = contents.sound.count
      fields[PackLayout.End.damagedCount] = includesDamaged ? contents.damaged.count : 0
    }
    return bytes
  }

  /// An own record with its length.
  private static func ownRecord(
    _ kind: PackLayout.OwnRecord, _ contents: [UInt8] = []
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    RecordMaker.begin(&bytes, own: kind)
    bytes += contents
    RecordMaker.end(&bytes, from: 0)
    return bytes
  }

  private static func write(_ bytes: [UInt8], to sink: ByteSink) throws(PackError) {
    do throws(ByteSink.Failure) { try sink.write(bytes.rawBytes) } catch {
      switch error {
      case .readerGone: throw .readerGone
      case .failed(let cause): throw .output(cause)
      }
    }
  }
}
