internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_roots`: lists the states of a pool that a device still holds, and takes a device back from
/// one of them.
struct ThinRoots: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_roots",
    abstract: "List the old states that thin-pool metadata still holds; undelete a device.",
    version: Toolbox.version)

  @Argument(help: "The metadata device or file; it is only read.") var file: String?
  @Option(name: .attached("i"), help: "The same.") var input: String?
  @Flag(help: "List all states, not only those with something to go back to.") var all = false
  @Option(help: "Take this device back: its id in the old state.") var recover: UInt64?
  @Option(help: "The old state to take it from: a root from the list.") var from: UInt32?
  @Option(name: .attached("o"), help: "The metadata device or file to overwrite.")
  var output: String?
  @Option(
    name: .customLong("as"),
    help: "The device's id in the output; unless given, the highest one that is free.")
  var newID: UInt64?
  @OptionGroup var overrides: OverrideOptions
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if file != nil, input != nil {
      throw ValidationError("the input is named twice, as an argument and with --input")
    }
    if recover != nil {
      guard from != nil, output != nil else {
        throw ValidationError("--recover needs --from and --output")
      }
      if all { throw ValidationError("--all can't be used with --recover") }
    } else if from != nil || output != nil || newID != nil {
      throw ValidationError("--from, --output and --as can only be used with --recover")
    }
  }

  private var path: String { input ?? file ?? "" }

  func run() throws(Failure) {
    // What the option parser says of an argument that can't be left out.
    if file == nil, input == nil {
      throw Failure(.usage, "Missing expected argument '<file>'\n\n" + ThinRoots.helpMessage())
    }
    let source = try openInput(path, .read, .salvage)
    if let recover, let from, let output {
      try self.recover(recover, from, source, output)
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
    sayUnreadable(source)
  }

  // MARK: Taking a device back

  private func recover(
    _ id: UInt64, _ root: UInt32, _ source: BlockFile, _ output: String
  ) throws(Failure) {
    let target = try openOutput(output)
    if source.isSame(as: output) {
      throw Failure(
        .outputRefused,
        "input and output are the same: nothing is changed in place; name another device or file")
    }
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    let salvage = try salvage(source, path, overrides.values)
    let recovery = try recovery(of: id, from: root, source, salvage)
    do throws(RestoreError) { try recovery.restore(to: target) } catch {
      throw Failure(error, output)
    }
    _ = consume bar
    let summary = RecoverySummary(recovery, output: output)
    // The device is back, whether anybody reads this or not.
    do throws(Failure) { try print(summary.leftOut) } catch {
      for line in summary.leftOut { shared.messages.say(line) }
    }
    shared.messages.say(salvage)
    for line in summary.lines { shared.messages.say(line) }
  }

  private func recovery(
    of id: UInt64, from root: UInt32, _ source: BlockFile, _ salvage: Salvage
  ) throws(Failure) -> Recovery {
    do throws(RecoveryError) {
      return try Recovery(of: id, from: root, in: source, beside: salvage, as: newID)
    } catch {
      throw failure(error, id, root)
    }
  }

  private func failure(_ error: RecoveryError, _ id: UInt64, _ root: UInt32) -> Failure {
    switch error {
    case .noSuchRoot(let trees):
      let hint = trees.first.map {
        "; it is the mapping tree of device \($0.device) in root \($0.root): --from \($0.root)"
      }
      return Failure(
        .noInput,
        "block \(root) is no root" + (hint ?? "; --all lists them"))
    case .noSuchDevice(let others):
      return Failure(
        .noInput, "root \(root) has no device \(id); it has \(others.deviceIDs)")
    case .idTaken:
      return Failure(
        .usage, "there is a device \(newID ?? 0) in the live state; choose another id with --as")
    case .idTooLarge:
      return Failure(.usage, "ids end at \(DeviceDetails.deviceIDMaximum)")
    }
  }
}
