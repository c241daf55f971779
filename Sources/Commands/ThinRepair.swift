internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_repair`: writes new metadata from everything that can be read of damaged metadata.
struct ThinRepair: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_repair",
    abstract: "Write new metadata from what is left of damaged thin-pool metadata.",
    version: Toolbox.version)

  @Option(name: .attached("i"), help: "The damaged metadata; it is only read.")
  var input: String
  @Option(name: .attached("o"), help: "The metadata device or file to overwrite.")
  var output: String
  // Old versions of LVM pass an empty argument here.
  @Argument(help: .hidden) var ignored: String?
  @Option(
    help: "Bring back mappings of lost blocks that are only likely, or even guessed.")
  var accept = Acceptance.proven
  @OptionGroup var overrides: OverrideOptions
  @OptionGroup var shared: SharedOptions

  /// How sure a mapping has to be.
  enum Acceptance: String, ExpressibleByArgument, CaseIterable {
    case proven, likely, guessed

    var provenance: Provenance {
      switch self {
      case .proven: .proven
      case .likely: .likely
      case .guessed: .guessed
      }
    }
  }

  func run() throws {
    let source = try openInput(input, .read, .salvage)
    let target = try openOutput(output)
    if source.isSame(as: output) {
      throw Failure(
        .outputRefused,
        "input and output are the same: repair never works in place; name another device or file")
    }
    let bar = ProgressBar(source, isQuiet: shared.quiet)
    let salvage = try salvage(source, input, overrides.values, accepting: accept.provenance)
    do { try salvage.restore(to: target) } catch { throw Failure(error, output) }
    _ = consume bar
    shared.messages.say(salvage)
  }
}

extension Tool {
  /// Finds what can be had of damaged metadata, or stops with the reason why nothing can.
  func salvage(
    _ file: BlockFile, _ path: String, _ overrides: PoolOverrides,
    accepting acceptance: Provenance = .proven
  ) throws -> Salvage {
    do {
      return try Salvage(file, overriding: overrides, accepting: acceptance)
    } catch .nothingFound {
      // Only now: behind a block 0 that was overwritten there may be a pool.
      try refuseForeignInput(file, path, isSearched: true)
      throw Failure(
        .damaged,
        "'\(path)' has no superblock, and none of its other blocks leads to a whole pool; is it "
          + "the right device?")
    } catch .newestStateDamaged(let index) {
      throw Failure(
        .damaged,
        "the superblock is lost, and so are blocks that led into the pool's newest state (its "
          + "index is block \(index)). States before it may be whole, but their data blocks may "
          + "belong to others by now, so none is taken. Keep this metadata; nothing was written")
    } catch .dataBlockSizeUnknown {
      throw Failure(
        .damaged,
        "the superblock is lost, and with it the data block size: give it in sectors with "
          + "--data-block-size ('lvs -o chunksize --units s VG/POOL' shows it)")
    } catch .input(let error) {
      throw Failure(input: error)
    }
  }
}

extension Messages {
  /// What a repair kept and lost, device by device.
  func say(_ salvage: Salvage) {
    for line in SalvageSummary(salvage).lines { say(line) }
  }
}
