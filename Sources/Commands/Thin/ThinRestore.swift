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
    let source: ByteSource
    do throws(IOError) { source = try ByteSource(input) } catch { throw Failure(input: error) }
    let file = try openOutput(output)
    if file.isSame(as: input) {
      throw Failure(.outputRefused, "output refused: '\(output)' is the input")
    }
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    let writing = "writing the new metadata"
    let raisedTime: UInt32?
    // A pipe can't be read twice: there the count is made while writing.
    if source.sizeBytes == nil {
      source.progress.begin(writing, total: 0)
      let events = try begun { () throws(RestoreError) in try MeasuredRestorer(file) }
      raisedTime = try read(source, into: events).raisedTime
    } else {
      try estimate(source, file)
      source.progress.begin(writing, total: source.progressTotal)
      let events = try begun { () throws(RestoreError) in try Restorer(file) }
      raisedTime = try read(source, into: events).raisedTime
    }
    bar.finish()
    if let raisedTime {
      shared.messages.say(
        "The pool's time is raised to \(raisedTime): the XML has a mapping that is so new.")
    }
  }

  /// What `begin` makes; from then on the output is no metadata until all is written.
  private func begun<Events>(_ begin: () throws(RestoreError) -> Events) throws(Failure) -> Events {
    do throws(RestoreError) { return try begin() } catch { throw Failure(error, output) }
  }

  /// A file is read twice, so that an output that can't hold the metadata is left alone.
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
  ) throws(Failure) -> Events where Events.Failure == RestoreError {
    do throws(XMLError) {
      return try ThinXMLReader.read(source, overriding: overrides.values, into: events)
    } catch {
      throw failure(error)
    }
  }

  private func failure(_ error: XMLError) -> Failure {
    switch error {
    case .consumerFailed(let cause as RestoreError): Failure(cause, output)
    case .sourceFailed(let cause as IOError): Failure(input: cause)
    case .notXML: Failure(notXML: input) ?? Failure(.notMetadata, "\(input): \(error)")
    case .empty: Failure(.notMetadata, "\(input): \(error)")
    default: Failure(.damaged, "\(input): \(error)")
    }
  }
}

extension ByteSource {
  /// Bytes to come, 0 from a pipe.
  fileprivate var progressTotal: Int { Int(clamping: sizeBytes ?? 0) }
}

extension Failure {
  /// A failure to write metadata to `output`.
  init(_ error: RestoreError, _ output: String) {
    switch error {
    case .rejected(let reason): self.init(.damaged, reason)
    case .output(let cause): self.init(output: cause)
    case .outputTooSmall(let needed, _) where needed > MetadataBlock.maximumCount:
      self.init(.tooLarge(needed: needed), output)
    case .tooLarge(let needed):
      self.init(
        .outputRefused,
        "'\(output)' is too small, and so is any device: \(needed) blocks of 4 KiB or more are "
          + "needed, and kernels use \(MetadataBlock.maximumCount) at most, some 16 GiB")
    case .outputTooSmall(let needed, let available):
      self.init(
        .outputRefused,
        "'\(output)' is too small: about \(needed) blocks of 4 KiB are needed, it has "
          + "\(available); give it \(NewSize.enough(for: needed) * 4) KiB or more")
    }
  }
}
