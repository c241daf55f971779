internal import ArgumentParser
internal import EraMetadata
internal import PersistentData

/// `era_repair`: writes new metadata from everything that can be read of damaged metadata.
struct EraRepair: Tool {
  static let configuration = CommandConfiguration(
    commandName: "era_repair",
    abstract: "Write new era metadata from what is left of the old.",
    usage: """
      era_repair [OPTION ...] --input FILE --output FILE
      era_repair [OPTION ...] --input FILE --dry-run
      """,
    version: Toolbox.version)

  @OptionGroup var files: RepairFiles
  @OptionGroup var overrides: EraOverrideOptions
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let input = files.input
    try repair(files, EraRepairDocument(input: input), of: .era) {
      (source, target, document) throws(Failure) in
      let salvage = try salvage(source, input, overrides.values)
      document.salvage = salvage
      document.common.summary = EraSalvageSummary(salvage).lines
      try restore(salvage, from: source, to: target, files, &document)
    }
  }
}

/// Options for what the superblock doesn't tell, or tells wrongly.
struct EraOverrideOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Sectors in a block, where the metadata can't tell.",
      valueName: "sectors"))
  var dataBlockSize: UInt32?
  @Option(
    help: ArgumentHelp(
      "Blocks of the origin, where the metadata can't tell.",
      valueName: "count"))
  var nrBlocks: UInt32?
  @Option(
    help: ArgumentHelp("The current era is at least this.", valueName: "era"))
  var currentEra: UInt32?

  var values: EraOverrides {
    var values = EraOverrides()
    values.dataBlockSectors = dataBlockSize
    values.blockCount = nrBlocks
    values.currentEra = currentEra
    return values
  }
}

extension Tool {
  /// Salvages damaged era metadata, or fails with the reason why nothing can be salvaged.
  func salvage(
    _ file: BlockFile, _ path: String, _ overrides: EraOverrides
  ) throws(Failure) -> EraSalvage {
    try refuseOtherTarget(file, path, for: .era)
    do throws(EraSalvageError) {
      return try EraSalvage(file, overriding: overrides)
    } catch {
      switch error {
      case .nothingFound:
        try refuseForeignInput(file, path, for: .era, isSearched: true)
        throw Failure(
          .notMetadata,
          "'\(path)' has no superblock of an era device, and no other block of one; is it the "
            + "right device?")
      case .newestStateUnknown(let states):
        throw Failure(
          .damaged,
          "the superblock of '\(path)' is lost, and nothing tells which of the \(states) remaining "
            + "states is the newest. With an older one a backup would miss writes, so none is "
            + "taken. Back up everything once, and keep this metadata; nothing was written")
      case .numbersMissing(let numbers):
        throw Failure(
          .notMetadata,
          "the superblock of '\(path)' is lost, and with it numbers that nothing else holds: give "
            + "them with \(EraRepair.options(numbers)). 'dmsetup table' shows the size of the "
            + "origin and of a block, both in sectors, and 'dmsetup status' the current era, while "
            + "the device is active; otherwise give an era that is certainly no earlier")
      case .numbersInvalid(let numbers):
        throw Failure(
          .damaged,
          "the superblock of '\(path)' has a number that no era device can have: give the right "
            + "one with \(EraRepair.options(numbers)); nothing was written")
      }
    }
  }
}

extension EraRepair {
  fileprivate static func options(_ numbers: [EraSalvageError.MissingNumber]) -> String {
    numbers.map { number in
      switch number {
      case .dataBlockSectors: "--data-block-size"
      case .blockCount: "--nr-blocks"
      case .currentEra: "--current-era"
      }
    }.joined(separator: ", ")
  }
}
