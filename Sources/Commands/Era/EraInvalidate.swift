internal import ArgumentParser
internal import EraMetadata
internal import MetadataXML
internal import PersistentData

/// `era_invalidate`: lists the blocks that were, or may have been, written since an era.
struct EraInvalidate: Tool {
  static let configuration = CommandConfiguration(
    commandName: "era_invalidate",
    abstract: "List blocks that may have been written since an era.",
    version: Toolbox.version)

  @Argument(help: ArgumentHelp("The metadata device or file.", valueName: "file"))
  var input: String
  @Option(help: ArgumentHelp("Blocks written in this era or later.", valueName: "era"))
  var writtenSince: UInt64
  @Flag(help: "Look at the metadata snapshot; the device may be in use.")
  var metadataSnapshot = false
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
  var output: String?
  @OptionGroup var shared: SharedOptions

  /// Some versions took a value, which was ignored.
  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map { $0.hasPrefix("--metadata-snapshot=") ? "--metadata-snapshot" : $0 }
  }

  func run() throws(Failure) {
    let file = try openInput(input, metadataSnapshot ? .readInUse : .read, for: .era)
    try refuseForeignInput(file, input, for: .era)
    let sink = try openSink(output, sparing: [input])
    let (superblock, findings): (EraSuperblock, Findings) = try openSuperblock(
      file, input, at: EraReader.Structure.superblock, for: .era)
    if metadataSnapshot, superblock.heldRoot == 0 {
      throw Failure(
        .noInput,
        "'\(input)' has no metadata snapshot; 'dmsetup message DEVICE 0 take_metadata_snap' makes "
          + "one")
    }
    var reader = EraReader(file, superblock, findings: findings)
    let written: WrittenBlocks
    do throws(ReadError<Never>) {
      written = try WrittenBlocks(&reader, since: writtenSince, inSnapshot: metadataSnapshot)
    } catch {
      guard case .damaged(let findings) = error else { return }
      throw damaged(findings, input, for: .era)
    }
    do throws(ByteSink.Failure) {
      try written.writeXML(to: sink)
    } catch {
      throw Failure(error)
    }
    try commit(sink)
  }
}
