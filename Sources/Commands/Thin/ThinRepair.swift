internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_repair`: writes new metadata from everything that can be read of damaged metadata.
struct ThinRepair: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_repair",
    abstract: "Write new metadata from what is left of the old.",
    usage: """
      thin_repair [OPTION ...] --input FILE --output FILE
      thin_repair [OPTION ...] --input FILE --dry-run
      """,
    version: Toolbox.version)

  /// How sure a mapping has to be.
  enum Acceptance: String, CaseIterable, ExpressibleByArgument {
    case proven, likely, guessed

    var provenance: Provenance {
      switch self {
      case .proven: .proven
      case .likely: .likely
      case .guessed: .guessed
      }
    }
  }

  @Option(
    name: .attached("i"),
    help: ArgumentHelp("The damaged metadata; it is only read.", valueName: "file"))
  var input: String
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("The metadata device or file to overwrite.", valueName: "file"))
  var output: String?
  @Flag(name: .customLong("dry-run"), help: "Write no metadata, only say what would come back.")
  var isDryRun = false
  @Option(
    help: ArgumentHelp("How sure mappings of lost blocks must be.", valueName: "surety"))
  var accept = Acceptance.proven
  @Flag(help: "Leave out mappings whose data has certainly been overwritten.")
  var dropOverwritten = false
  @Option(
    help: ArgumentHelp(
      "Write what came back and what did not to this file, as JSON.", valueName: "file"))
  var report: String?
  // Old versions of LVM pass an empty argument here.
  @Argument(help: .hidden) var ignored: String?
  @OptionGroup var overrides: OverrideOptions
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if output == nil, !isDryRun { throw ValidationError("--output is missing (or --dry-run)") }
    if output != nil, isDryRun {
      throw ValidationError("--dry-run can't be used with --output: it writes no metadata")
    }
  }

  func run() throws(Failure) {
    var document = RepairDocument(
      input: input, output: output, isDryRun: isDryRun, acceptance: accept.provenance)
    let sink = try openReport()
    do throws(Failure) { try repair(&document) } catch {
      document.failure = error
    }
    if let sink {
      do throws(Failure) { try write(document, to: sink) } catch {
        throw Failure(report: error, of: document)
      }
    }
    if let failure = document.failure { throw failure }
  }

  private func repair(_ document: inout RepairDocument) throws(Failure) {
    let source = try openInput(input, .read, .salvage)
    let target = try openTarget(source)
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    let salvage = try salvage(
      source, input, overrides.values, accepting: accept.provenance,
      dropsOverwritten: dropOverwritten)
    let spaceMaps = OldSpaceMaps(
      salvage, isComparing: salvage.hasLosses || report != nil)
    document.result = (salvage, spaceMaps)
    document.summary = SalvageSummary(salvage, spaceMaps).lines
    if salvage.bringsNothingBack {
      _ = consume bar
      for line in document.summary { shared.messages.say(line) }
      throw Failure(nothingBackFrom: input)
    }
    do throws(WriteError) {
      if let target {
        try salvage.restore(to: target)
      } else {
        document.neededBlocks = try salvage.neededBlocks(on: source.blockCount)
      }
    } catch {
      throw Failure(error, output ?? input)
    }
    _ = consume bar
    if let needed = document.neededBlocks {
      let size = NewSize.blocks(needed: needed, old: source.blockCount)
      shared.messages.say(
        "Nothing is written. New metadata takes about \(needed * 4) KiB; make NEW \(size * 4) KiB "
          + "or more. A repair would say:")
    }
    for line in document.summary { shared.messages.say(line) }
  }

  /// The output, unless nothing is to be written.
  private func openTarget(_ source: BlockFile) throws(Failure) -> BlockFile? {
    guard let output else { return nil }
    let target = try openOutput(output)
    if source.isSame(as: output) {
      throw Failure(
        .outputRefused,
        "input and output are the same: repair never works in place; name another device or file")
    }
    return target
  }

  private func write(_ document: RepairDocument, to sink: ByteSink) throws(Failure) {
    do throws(ByteSink.Failure) { try document.write(to: sink) } catch { throw Failure(error) }
    try commit(sink)
  }

  /// Opened before anything is done: a report that can't be written must not come as a surprise
  /// in the end.
  private func openReport() throws(Failure) -> ByteSink? {
    guard let report else { return nil }
    return try openSink(report, sparing: [input, output].compactMap { $0 }, as: "the report")
  }
}

extension Tool {
  /// Finds what can be had of damaged metadata, or stops with the reason why nothing can.
  func salvage(
    _ file: BlockFile, _ path: String, _ overrides: PoolOverrides,
    accepting acceptance: Provenance = .proven, dropsOverwritten: Bool = false
  ) throws(Failure) -> Salvage {
    do throws(SalvageError) {
      return try Salvage(
        file, overriding: overrides, accepting: acceptance, dropsOverwritten: dropsOverwritten)
    } catch {
      try refuse(file, path, error)
    }
  }

  /// What is wrong with the superblock: that the device can't read it is worth knowing.
  private func superblockLoss(_ file: BlockFile) -> String {
    do throws(IOError) { try file.withBlock(.superblock) { _ in } } catch {
      return "the superblock is lost (\(error))"
    }
    return "the superblock is lost"
  }

  private func refuse(
    _ file: BlockFile, _ path: String, _ error: SalvageError
  ) throws(Failure) -> Never {
    switch error {
    case .nothingFound:
      // Only now: behind a block 0 that was overwritten there may be a pool.
      try refuseForeignInput(file, path, isSearched: true)
      throw Failure(
        .damaged,
        "'\(path)' has no superblock, and none of its other blocks leads to a whole pool; is it "
          + "the right device?")
    case .newestStateDamaged(let index):
      try refuseOtherTarget(file, path)
      throw Failure(
        .damaged,
        "\(superblockLoss(file)), and so are blocks that led into the pool's newest state (its "
          + "index is block \(index)). States before it may be whole, but their data blocks may "
          + "belong to others by now, so none is taken. Keep this metadata; nothing was written")
    case .dataBlockSizeUnknown:
      throw Failure(
        .damaged,
        "\(superblockLoss(file)), and with it the data block size: give it in sectors with "
          + "--data-block-size, and LVM's transaction id with --transaction-id ('lvs --nosuffix "
          + "--units s -o chunksize,transaction_id VG/POOL' shows both)")
    case .tooMuchOverwritten:
      throw Failure(
        .damaged,
        "too many mappings have lost their data to be left out one by one: repair without "
          + "--drop-overwritten; nothing was written")
    case .dataBlockSizeInvalid(let sectors):
      throw Failure(
        .damaged,
        "the data block size in the superblock can't be right: \(sectors) sectors, where it is a "
          + "multiple of 128, up to \(Superblock.dataBlockSectorsMaximum). Give the right one with "
          + "--data-block-size ('lvs --noheadings --nosuffix --units s -o chunksize VG/POOL' shows "
          + "it); nothing was written")
    case .input(let error):
      throw Failure(input: error)
    }
  }
}

extension Failure {
  /// A report that could not be written, whatever came of the repair.
  fileprivate init(report failure: Failure, of document: RepairDocument) {
    if failure.status == .success {
      // It went to standard output, and its reader has left.
      self = document.failure ?? failure
    } else if let earlier = document.failure {
      self.init(earlier.status, "\(earlier.message)\nThere is no report: \(failure.message)")
    } else if let output = document.output {
      self.init(
        .inputOutput,
        "there is no report: \(failure.message); the new metadata in '\(output)' is whole")
    } else {
      self.init(.inputOutput, "there is no report: \(failure.message)")
    }
  }

  /// Metadata that would be written without a single mapping, though there were some.
  init(nothingBackFrom input: String) {
    self.init(
      .damaged,
      "no mapping is left in '\(input)', so new metadata would be that of an empty pool: nothing "
        + "was written. Keep '\(input)' as it is, and don't activate the pool")
  }
}

extension Messages {
  /// What a repair kept and lost, device by device.
  func say(_ salvage: Salvage) {
    for line in SalvageSummary(
      salvage, OldSpaceMaps(salvage, isComparing: salvage.hasLosses)
    ).lines { say(line) }
  }
}
