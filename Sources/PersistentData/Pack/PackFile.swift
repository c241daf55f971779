internal import Threads

/// A pack file that is read: looked at as a whole, or written out as metadata.
///
/// Nothing in it is believed: records, instructions and blocks are all checked, and memory doesn't
/// grow with what the file claims.
package final class PackFile: Sendable {
  /// Blocks of the metadata that was packed.
  package let blockCount: UInt64
  /// How far reading has come.
  package let progress = Progress()

  private let source: PackSource
  private let size: UInt64

  package init(_ source: PackSource) throws(PackError) {
    let size = source.sizeBytes
    var bytes = [UInt8](repeating: 0, count: PackLayout.size)
    guard size >= UInt64(PackLayout.size) else { throw .notAPack }
    do throws(IOError) {
      try bytes.edit { (bytes) throws(IOError) in
        try source.read(into: &bytes, count: PackLayout.size, at: 0)
      }
    } catch {
      throw .input(error)
    }
    let header = bytes.rawBytes
    guard header[PackLayout.magic] == PackLayout.magicValue else { throw .notAPack }
    let version = header[PackLayout.version]
    guard version == PackLayout.versionValue else { throw .unknownVersion(version) }
    let blockSize = header[PackLayout.blockSize]
    guard blockSize == UInt64(MetadataBlock.size) else { throw .unknownBlockSize(blockSize) }
    blockCount = header[PackLayout.blockCount]
    guard blockCount > 0, blockCount <= PackLayout.blockCountMaximum
    else { throw .tooLarge(blockCount: blockCount) }
    self.source = source
    self.size = size
  }

  /// Reads all of it, and says what it holds; throws what is wrong with it.
  package func verify() throws(PackError) -> PackContents {
    try read(PackTarget(nil, blockCount: blockCount), "checking the packed file")
  }

  /// Writes the metadata to `output`, which has room for it.
  ///
  /// `isNew`: it is a file of zeroes that has no name before all is done. Otherwise its first block
  /// says that it is unfinished until all the rest is on stable storage, and `verify` must have
  /// found this file good.
  package func unpack(to output: BlockFile, isNew: Bool) throws(PackError) -> PackContents {
    let target = PackTarget(output, blockCount: blockCount)
    do throws(IOError) {
      if !isNew { try UnfinishedNotice.write(to: output) }
    } catch {
      throw .output(error)
    }
    let contents = try read(target, "unpacking")
    do throws(IOError) { try target.finish(isNew: isNew) } catch { throw .output(error) }
    return contents
  }

  private func read(
    _ target: PackTarget, _ title: String
  ) throws(PackError) -> PackContents {
    progress.begin(title, total: Int(clamping: size))
    var places = RecordPlaces(source, size: size)
    var check = RecordOrder()
    let (source, progress) = (source, progress)
    let workers = min(Workers.coreCount, PackFile.workersMaximum)
    let pipeline = OrderedPipeline(helpers: workers - 1, depth: 4 * workers) {
      RecordReader(source, target)
    } transform: { (reader: inout RecordReader, place: RecordPlace) in
      let contents = reader.read(place)
      progress.advance(Int(clamping: place.length))
      return contents
    }
    try pipeline.run {
      places.next()
    } consume: { (contents: Result<RecordContents, PackError>) throws(PackError) in
      try check.add(contents.get())
    }
    try check.end()
    // Last, and the lowest: which of two records comes first is a matter of time.
    if let block = target.lowestTwice { throw .blockTwice(block) }
    var contents = check.contents
    contents.blockCount = blockCount
    contents.hasSuperblock = target.has(0)
    return contents
  }

  /// More would have to wait for the memory that they write to.
  private static let workersMaximum = 6
}
