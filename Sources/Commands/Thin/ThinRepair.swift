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

  @OptionGroup var files: RepairFiles
  @Option(
    help: ArgumentHelp("How sure mappings of lost blocks must be.", valueName: "surety"))
  var accept = Acceptance.proven
  @Flag(help: "Leave out mappings whose data has certainly been overwritten.")
  var dropOverwritten = false
  @OptionGroup var overrides: OverrideOptions
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let input = files.input
    let document = RepairDocument(input: input, acceptance: accept.provenance)
    // Opens the report before anything is done, so that a report that can't be written isn't a
    // surprise at the end.
    try repair(files, document, of: .thin) { (source, target, document) throws(Failure) in
      let salvage = try salvage(
        source, input, overrides.values, accepting: accept.provenance,
        dropsOverwritten: dropOverwritten)
      let spaceMaps = OldSpaceMaps(
        salvage, isComparing: salvage.hasLosses || files.report != nil)
      document.result = (salvage, spaceMaps)
      document.common.summary = SalvageSummary(salvage, spaceMaps).lines
      if salvage.bringsNothingBack {
        document.common.failure = Failure(nothingBackFrom: input)
      } else {
        try restore(salvage, from: source, to: target, files, &document)
      }
    }
  }
}

extension Tool {
  /// Salvages damaged metadata, or fails with the reason why nothing can be salvaged.
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

  /// What is wrong with the superblock; says so if the device can't read it.
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
      // Only now, as there may be a pool after an overwritten block 0.
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
        "the data block size in the superblock can't be right: \(sectors) sectors; it must be a "
          + "multiple of 128, up to \(Superblock.dataBlockSectorsMaximum). Give the right one with "
          + "--data-block-size ('lvs --noheadings --nosuffix --units s -o chunksize VG/POOL' shows "
          + "it); nothing was written")
    }
  }
}

extension Failure {
  /// New metadata that would have no mappings, although the old had some.
  init(nothingBackFrom input: String) {
    self.init(
      .damaged,
      "no mapping is left in '\(input)', so new metadata would be that of an empty pool: nothing "
        + "was written. Keep '\(input)' as it is, and don't activate the pool")
  }
}

extension Messages {
  /// Prints what a repair kept and lost, device by device.
  func say(_ salvage: Salvage) {
    for line in SalvageSummary(
      salvage, OldSpaceMaps(salvage, isComparing: salvage.hasLosses)
    ).lines { say(line) }
  }
}
