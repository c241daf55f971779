internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_dump`: writes the metadata of a thin pool as XML, or for people to read.
struct ThinDump: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_dump", abstract: "Write the metadata of a thin pool as text.",
    version: Toolbox.version)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case xml
    case humanReadable = "human_readable"
  }

  enum Compatibility: String, CaseIterable, ExpressibleByArgument {
    case version09 = "0.9"
  }

  @Argument(help: ArgumentHelp("The metadata device or file.", valueName: "file"))
  var input: String
  @Option(name: .attached("f"), help: "How to write it.") var format = Format.xml
  @Flag(name: .shortAndLong, help: "Skip what is damaged and write what can be reached.")
  var repair = false
  @Flag(name: .shortAndLong, help: "Dump the metadata snapshot.") var metadataSnap = false
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
  var output: String?
  @Option(help: ArgumentHelp("Only this device; can be repeated.", valueName: "id"))
  var devID: [UInt64] = []
  @Flag(help: "Leave out the mappings.") var skipMappings = false
  @Option(
    help: ArgumentHelp(
      "Write XML as that version did: no shared parts, flags always given.",
      valueName: "version"))
  var compat: Compatibility?
  @Option(
    help: ArgumentHelp(
      "With --repair, how sure mappings of lost blocks must be.", valueName: "surety"))
  var accept: ThinRepair.Acceptance?
  @OptionGroup var overrides: OverrideOptions
  @OptionGroup var shared: SharedOptions

  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map(MetadataSnapshotOption.normalized)
  }

  func validate() throws {
    if repair, metadataSnap {
      throw ValidationError("--repair can't be used with --metadata-snap")
    }
    if accept != nil, !repair {
      throw ValidationError("--accept can only be used with --repair")
    }
    if let size = overrides.dataBlockSize, !Superblock.isPossible(dataBlockSectors: size) {
      throw ValidationError(
        "--data-block-size must be a multiple of 128 sectors (64 KiB), at most "
          + "\(Superblock.dataBlockSectorsMaximum) (1 GiB)")
    }
    if compat != nil, format != .xml {
      throw ValidationError("--compat can only be used with the format xml")
    }
  }

  func run() throws(Failure) {
    let file = try openInput(
      input, metadataSnap ? .readInUse : .read, repair ? .salvage : .judge)
    if !repair { try refuseForeignInput(file, input) }
    if metadataSnap { try requireMetadataSnapshot(file, input) }
    let sink = try openSink(output, sparing: [input])
    if repair { try dumpRemains(file, sink) } else { try dumpPool(file, sink) }
  }

  private var dump: Dump {
    var dump = Dump()
    dump.overrides = overrides.values
    dump.format =
      format == .humanReadable ? .humanReadable : compat == nil ? .xml : .xmlCompatible
    dump.devices = Set(devID)
    dump.skipsMappings = skipMappings
    return dump
  }

  private func dumpPool(_ file: BlockFile, _ sink: ByteSink) throws(Failure) {
    let bar = progressBar(file)
    var choice = RootChoice()
    choice.metadataSnapshot = metadataSnap
    choice.liveOnly = !metadataSnap
    let reader: PoolReader
    do throws(DumpError) {
      reader = try PoolReader.open(file, choosing: choice)
    } catch {
      bar.finish()
      throw failure(error)
    }
    do throws(DumpError) { try dump.write(reader, to: sink) } catch {
      bar.finish()
      throw failure(error)
    }
    try commit(sink)
    bar.finish()
    reportDamagedSnapshot(reader)
    for line in dump.overrides.refusals(dump.header(of: reader)) { shared.messages.say(line) }
    let place = metadataSnap ? "the metadata snapshot of '\(input)'" : "'\(input)'"
    reportMissing(reader.devices.map(\.id), in: place)
  }

  /// Dumps what can be salvaged.
  private func dumpRemains(_ file: BlockFile, _ sink: ByteSink) throws(Failure) {
    let bar = progressBar(file)
    let salvage = try salvage(
      file, input, overrides.values, accepting: (accept ?? .proven).provenance)
    if salvage.bringsNothingBack {
      bar.finish()
      shared.messages.say(salvage)
      throw Failure(nothingBackFrom: input)
    }
    do throws(DumpError) { try salvage.dump(dump, to: sink) } catch {
      bar.finish()
      throw failure(error)
    }
    try commit(sink)
    bar.finish()
    shared.messages.say(salvage)
    reportMissing(salvage.results.map(\.id), in: "what is left of '\(input)'")
  }

  /// No bar with standard output, which may be the same terminal.
  private func progressBar(_ file: BlockFile) -> ProgressBar {
    ProgressBar(file.progress, isQuiet: shared.quiet || output == nil)
  }

  /// Reports damage to a metadata snapshot that isn't part of this dump of the live pool.
  private func reportDamagedSnapshot(_ reader: PoolReader) {
    guard reader.heldFindings.worst == .error else { return }
    shared.messages.say(reader.heldFindings)
    shared.messages.say(
      "The metadata snapshot, in block \(reader.superblock.heldRoot), is damaged. This dump is of "
        + "the live pool and complete. Release the snapshot when the pool is active:")
    shared.messages.say(Advice.Commands.newSnapshot[0])
  }

  /// Reports the devices that were asked for and are not among `ids`. This isn't a failure, as in
  /// thin-provisioning-tools: scripts ask for devices that may be gone.
  private func reportMissing(_ ids: [UInt64], in place: String) {
    let missing = Set(devID).subtracting(ids).sorted()
    if missing.isEmpty { return }
    shared.messages.say(
      (missing.count == 1 ? "There is no device " : "There are no devices ")
        + "\(missing.deviceIDs) in \(place); it has \(ids.deviceIDs).")
  }

  private func failure(_ error: DumpError) -> Failure {
    switch error {
    case .damaged(let findings):
      shared.messages.say(findings)
      if metadataSnap {
        return Failure(
          .damaged,
          "the metadata snapshot is damaged, so the dump is not complete. Release it, reserve a "
            + "new one and try again:\n" + Advice.Commands.newSnapshot.joined(separator: "\n"))
      }
      return Failure(
        .damaged,
        "the metadata is damaged, so the dump is not complete; 'thin_check' tells more, "
          + "'thin_dump --repair' writes what can be reached")
    case .output(let failure): return Failure(failure)
    }
  }
}

/// `-m`, which took a block number in version 0.9.
enum MetadataSnapshotOption {
  /// Drops the number: the superblock says where the metadata snapshot is.
  static func normalized(_ argument: String) -> String {
    if argument.hasPrefix("--metadata-snap=") { return "--metadata-snap" }
    let value = argument.dropFirst(argument.hasPrefix("-m=") ? 3 : 2)
    return argument.hasPrefix("-m") && !value.isEmpty && value.allSatisfy(\.isNumber)
      ? "-m" : argument
  }
}
