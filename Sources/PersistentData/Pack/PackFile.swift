internal import Threads

/// A pack file to read: it is verified, or unpacked to metadata.
///
/// Nothing in it is trusted: records, instructions and blocks are all checked, and memory doesn't
/// grow with what the file claims.
package final class PackFile: Sendable {
  /// Blocks of the metadata that was packed.
  package let blockCount: UInt64
  /// The progress of reading.
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

  /// Reads all of it and returns what it holds; throws if anything is wrong with it.
  package func verify() throws(PackError) -> PackContents {
    try read(PackTarget(nil, blockCount: blockCount), "checking the packed file")
  }

  /// Writes the metadata to `output`, which has room for it.
  ///
  /// `isNew`: it is a file of zeroes that gets its name when all is done. Otherwise its first block
  /// says that it is unfinished until the rest is on stable storage, and `verify` must have
  /// succeeded on this file.
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
    // Checked last, and the lowest reported, so that the result doesn't depend on thread timing.
    if let block = target.lowestTwice { throw .blockTwice(block) }
    var contents = check.contents
    contents.blockCount = blockCount
    contents.hasSuperblock = target.has(0)
    return contents
  }

  /// More workers would only wait for the memory that they write to.
  private static let workersMaximum = 6
}
