internal import ArgumentParser
internal import MetadataXML
internal import PersistentData
internal import ThinMetadata

/// `thin_restore`: writes the metadata of a thin pool from XML.
struct ThinRestore: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_restore", abstract: "Write the metadata of a thin pool from XML.",
    version: Toolbox.version)

  @Option(
    name: .attached("i"), help: ArgumentHelp("The XML, a file or a pipe.", valueName: "file"))
  var input: String
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("The metadata device or file to overwrite.", valueName: "file"))
  var output: String
  @OptionGroup var overrides: OverrideOptions
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let (source, file) = try openRestore(input, output)
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    let writing = "writing the new metadata"
    let raisedTime: UInt32?
    // A pipe can't be read twice, so blocks are counted while writing.
    if source.sizeBytes == nil {
      source.progress.begin(writing, total: 0)
      let events = try begun { () throws(WriteError) in try MeasuredRestorer(file) }
      raisedTime = try read(source, into: events).raisedTime
    } else {
      try estimate(source, file)
      source.progress.begin(writing, total: source.progressTotal)
      let events = try begun { () throws(WriteError) in try Restorer(file) }
      raisedTime = try read(source, into: events).raisedTime
    }
    bar.finish()
    if let raisedTime {
      shared.messages.say(
        "The pool's time is raised to \(raisedTime): the XML has a mapping of that time.")
    }
  }

  /// The result of `begin`; from then on the output holds no valid metadata until all is written.
  private func begun<Events>(_ begin: () throws(WriteError) -> Events) throws(Failure) -> Events {
    do throws(WriteError) { return try begin() } catch { throw Failure(error, output) }
  }

  /// A file is read twice, so that an output that is too small isn't touched.
  private func estimate(_ source: ByteSource, _ file: BlockFile) throws(Failure) {
    source.progress.begin("counting the mappings", total: source.progressTotal)
    let estimate = try read(source, into: SizeEstimate())
    let needed = estimate.neededBlocks(on: file.blockCount)
    if needed > file.blockCount {
      throw Failure(.outputTooSmall(needed: needed, available: file.blockCount), output)
    }
    do throws(IOError) { try source.rewind() } catch { throw Failure(input: error) }
  }

  private func read<Events: ThinEvents & ~Copyable>(
    _ source: ByteSource, into events: consuming Events
  ) throws(Failure) -> Events where Events.Failure == WriteError {
    do throws(XMLError) {
      return try ThinXMLReader.read(source, overriding: overrides.values, into: events)
    } catch {
      throw Failure(error, input, output, for: .thin)
    }
  }
}

extension ByteSource {
  /// The total for progress: the size in bytes, 0 for a pipe.
  fileprivate var progressTotal: Int { Int(clamping: sizeBytes ?? 0) }
}
