internal import MetadataXML
internal import PersistentData
internal import ThinMetadata

extension Tool {
  /// Opens a pool to look at: all of it, or what its metadata snapshot has.
  ///
  /// Whatever is wrong below the superblock is in the reader's findings. What lies below which keys
  /// of the mapping trees can't be asked: it would take memory.
  func openPool(
    _ path: String, metadataSnapshot: Bool, skippingMappings: Bool = false
  ) throws(Failure) -> PoolReader {
    let file = try openInput(path, metadataSnapshot ? .readInUse : .read)
    try refuseForeignInput(file, path)
    if metadataSnapshot { try requireMetadataSnapshot(file, path) }
    var choice = RootChoice()
    choice.metadataSnapshot = metadataSnapshot
    choice.skipsMappings = skippingMappings
    choice.forgetsKeys = true
    do throws(DumpError) {
      let reader = try PoolReader.open(file, choosing: choice)
      // The live pool, which may be changing, is no substitute.
      if metadataSnapshot, reader.heldSuperblock == nil { throw .damaged(reader.findings) }
      return reader
    } catch {
      switch error {
      case .damaged(let findings):
        shared.messages.say(findings)
        throw Failure(
          .damaged, "the metadata is damaged; 'thin_check \(path)' tells more")
      case .output(let failure): throw Failure(failure)
      case .input(let error): throw Failure(input: error)
      }
    }
  }

  /// Writes what the tool is run for, whether or not it is to say anything besides.
  func write(_ lines: [String]) throws(Failure) {
    do throws(ByteSink.Failure) {
      try ByteSink.standardOutput.write(lines.map { $0 + "\n" }.joined())
    } catch {
      throw Failure(error)
    }
  }
}

/// A small text that a person names: a file, or `-` for standard input.
enum TextInput {
  /// More than any report of lvs, or the metadata of any volume group, has.
  private static let mostBytes = 64 << 20

  static func read(_ path: String) throws(Failure) -> String {
    do throws(IOError) {
      let bytes = try ByteSource(path == "-" ? "/dev/stdin" : path).readAll(upTo: mostBytes)
      if let bytes { return String(decoding: bytes, as: UTF8.self) }
    } catch {
      throw Failure(input: error)
    }
    throw Failure(.notMetadata, "'\(path)' is too large to be a list of names")
  }
}
