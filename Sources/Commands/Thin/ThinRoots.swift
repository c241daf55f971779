internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_roots`: lists the states of a pool that a device still holds, and recovers thin devices
/// from one of them.
struct ThinRoots: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_roots",
    abstract: "List the old states that are left; undelete devices.",
    usage: """
      thin_roots [OPTION ...] FILE
      thin_roots [OPTION ...] --recover ID --from BLOCK --output FILE FILE
      """,
    version: Toolbox.version)

  /// What to recover.
  enum Recovered: ExpressibleByArgument, Equatable {
    case all
    case device(UInt64)

    init?(argument: String) {
      if argument == "all" {
        self = .all
      } else {
        guard let id = UInt64(argument) else { return nil }
        self = .device(id)
      }
    }
  }

  @Argument(help: ArgumentHelp("The metadata device or file; it is only read.", valueName: "file"))
  var file: String?
  @Option(name: .attached("i"), help: ArgumentHelp("The same.", valueName: "file"))
  var input: String?
  @Flag(help: "List all states, not only those with something to go back to.") var all = false
  @Option(
    help: ArgumentHelp(
      "Recover this device, by its id in the old state, or all; an id can be repeated.",
      valueName: "id"))
  var recover: [Recovered] = []
  @Option(
    help: ArgumentHelp("The old state to take it from: a root from the list.", valueName: "block"))
  var from: UInt32?
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("The metadata device or file to overwrite.", valueName: "file"))
  var output: String?
  @Option(
    name: .customLong("as"),
    help: ArgumentHelp(
      "The one device's id in the output; unless given, the highest one that is free.",
      valueName: "id"))
  var newID: UInt64?
  @OptionGroup var overrides: OverrideOptions
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if file != nil, input != nil {
      throw ValidationError("the input is named twice, as an argument and with --input")
    }
    if !recover.isEmpty {
      guard from != nil, output != nil else {
        throw ValidationError("--recover needs --from and --output")
      }
      if all { throw ValidationError("--all can't be used with --recover") }
      if recover.count > 1 {
        if recover.contains(.all) {
          throw ValidationError("--recover all already includes all devices")
        }
        if newID != nil { throw ValidationError("--as can only be used with one --recover") }
      } else if newID != nil, recover == [.all] {
        throw ValidationError("--as can't be used with --recover all: devices keep their ids")
      }
    } else if from != nil || output != nil || newID != nil {
      throw ValidationError("--from, --output and --as can only be used with --recover")
    }
  }

  private var path: String { input ?? file ?? "" }

  func run() throws(Failure) {
    // The option parser's message for a missing argument.
    if file == nil, input == nil {
      let hint = HelpPage(of: ThinRoots.self).hint
      throw Failure(.usage, "Missing expected argument 'FILE'\n" + hint.dropLast())
    }
    let source = try openInput(path, .read, .salvage)
    // Trees of other targets can look like a pool's.
    try refuseOtherTarget(source, path)
    let from = from.map(MetadataBlock.init)
    if let from, let output, case .device(let id)? = recover.first, recover.count == 1 {
      try recover(id, from, source, output)
    } else if let from, let output, !recover.isEmpty {
      try recoverState(from, source, output)
    } else {
      try list(source)
    }
  }

  private func list(_ source: BlockFile) throws(Failure) {
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    let old = OldRoots(source)
    _ = consume bar
    if old.superblock == nil, old.roots.isEmpty {
      try refuseForeignInput(source, path, isSearched: true)
      throw Failure(
        .damaged,
        "'\(path)' has no superblock, and no other block holds a list of devices; is it the right "
          + "device?")
    }
    let listing = RootListing(old, input: path, showsAll: all)
    try print(listing.lines)
    for line in listing.advice { shared.messages.say(line) }
    reportUnreadable(source)
  }

  // MARK: Recovering a device

  private func openTarget(_ source: BlockFile, _ output: String) throws(Failure) -> BlockFile {
    let target = try openOutput(output)
    if source.isSame(as: output) {
      throw Failure(
        .outputRefused,
        "input and output are the same: nothing is changed in place; name another device or file")
    }
    return target
  }

  /// Recovers several devices, or all.
  private func recoverState(
    _ root: MetadataBlock, _ source: BlockFile, _ output: String
  ) throws(Failure) {
    let target = try openTarget(source, output)
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    let salvage = try salvage(source, path, overrides.values)
    let ids = recover.compactMap { if case .device(let id) = $0 { id } else { nil } }
    let recovery: StateRecovery
    do throws(RecoveryError) {
      recovery = try StateRecovery(
        ids.isEmpty ? .all : .devices(ids), from: root, in: source, beside: salvage)
    } catch {
      throw failure(error, ids, root)
    }
    do throws(WriteError) { try recovery.restore(to: target) } catch {
      throw Failure(error, output)
    }
    _ = consume bar
    let summary = StateSummary(recovery, output: output)
    say(leftOut: summary.leftOut, salvage, summary.lines)
  }

  /// The devices are recovered even if this can't be printed.
  private func say(leftOut: [String], _ salvage: Salvage, _ lines: [String]) {
    do throws(Failure) { try print(leftOut) } catch {
      for line in leftOut { shared.messages.say(line) }
    }
    shared.messages.say(salvage)
    for line in lines { shared.messages.say(line) }
  }

  private func recover(
    _ id: UInt64, _ root: MetadataBlock, _ source: BlockFile, _ output: String
  ) throws(Failure) {
    let target = try openTarget(source, output)
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    let salvage = try salvage(source, path, overrides.values)
    let recovery = try recovery(of: id, from: root, source, salvage)
    do throws(WriteError) { try recovery.restore(to: target) } catch {
      throw Failure(error, output)
    }
    _ = consume bar
    let summary = RecoverySummary(recovery, output: output)
    say(leftOut: summary.leftOut, salvage, summary.lines)
  }

  private func recovery(
    of id: UInt64, from root: MetadataBlock, _ source: BlockFile, _ salvage: Salvage
  ) throws(Failure) -> Recovery {
    do throws(RecoveryError) {
      return try Recovery(of: id, from: root, in: source, beside: salvage, as: newID)
    } catch {
      throw failure(error, [id], root)
    }
  }

  private func failure(_ error: RecoveryError, _ ids: [UInt64], _ root: MetadataBlock) -> Failure {
    switch error {
    case .noSuchRoot(let trees):
      let hint = trees.first.map {
        "; it is the mapping tree of device \($0.device) in root \($0.root): --from \($0.root)"
      }
      return Failure(
        .noInput,
        "block \(root) is not a root" + (hint ?? "; --all lists them"))
    case .noSuchDevice(let others):
      return Failure(
        .noInput,
        "root \(root) has no device \(Set(ids).subtracting(others).sorted().deviceIDs); it has "
          + others.deviceIDs)
    case .idTaken:
      return Failure(
        .usage,
        newID == nil
          ? "no device id is free any more"
          : "there is a device \(newID ?? 0) in the live state; choose another id with --as")
    case .idTooLarge:
      return Failure(.usage, "the highest id is \(DeviceDetails.deviceIDMaximum)")
    }
  }
}
