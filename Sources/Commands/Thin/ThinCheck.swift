internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_check`: says whether the metadata of a thin pool can be trusted.
struct ThinCheck: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_check", abstract: "Check the metadata of a thin pool.",
    version: Toolbox.version)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
  }

  @Argument(help: ArgumentHelp("The metadata device or file.", valueName: "file"))
  var input: String
  @Flag(help: "Check the superblock only.") var superBlockOnly = false
  @Flag(help: "Leave out the mappings and the space maps.") var skipMappings = false
  @Flag(name: .shortAndLong, help: "Check the metadata snapshot.") var metadataSnap = false
  @Option(help: ArgumentHelp("Check the mappings below this block.", valueName: "block"))
  var overrideMappingRoot: UInt64?
  @Option(help: ArgumentHelp("Check the details below this block.", valueName: "block"))
  var overrideDetailsRoot: UInt64?
  @Option(name: .attached("f"), help: "How to report.") var format = Format.text
  @Flag(help: "Let leaks pass: exit 0.") var ignoreNonFatalErrors = false
  @Flag(
    help: "When there is no error, mend in place what can be mended and clear needs_check.")
  var autoRepair = false
  @Flag(help: "The same as --auto-repair; LVM passes this one.") var clearNeedsCheckFlag = false
  @Option(
    help: ArgumentHelp(
      "Before mending, keep what is overwritten in this new file.", valueName: "file"))
  var undoFile: String?
  @Option(
    help: ArgumentHelp(
      "Put back what an undo file kept; nothing is checked.", valueName: "file"))
  var undo: String?
  @OptionGroup var shared: SharedOptions

  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map(MetadataSnapshotOption.normalized)
  }

  func validate() throws {
    try validateUndo()
    if format == .json { try refuse(shared.quiet, "--format json", "--quiet") }
    let overrides = overrideMappingRoot != nil || overrideDetailsRoot != nil
    if autoRepair {
      try refuse(ignoreNonFatalErrors, "--auto-repair", "--ignore-non-fatal-errors")
      try refuse(superBlockOnly, "--auto-repair", "--super-block-only")
      try refuse(skipMappings, "--auto-repair", "--skip-mappings")
    }
    for (isSet, name) in [
      (autoRepair, "--auto-repair"), (clearNeedsCheckFlag, "--clear-needs-check-flag"),
    ] where isSet {
      try refuse(metadataSnap, name, "--metadata-snap")
      try refuse(overrides, name, "--override-mapping-root and --override-details-root")
    }
  }

  /// `--undo` is a job of its own.
  private func validateUndo() throws(ValidationError) {
    if undoFile != nil, !mends {
      throw ValidationError(
        "--undo-file needs --auto-repair or --clear-needs-check-flag: nothing else is overwritten")
    }
    guard undo != nil else { return }
    let others = [
      (superBlockOnly, "--super-block-only"), (skipMappings, "--skip-mappings"),
      (metadataSnap, "--metadata-snap"), (overrideMappingRoot != nil, "--override-mapping-root"),
      (overrideDetailsRoot != nil, "--override-details-root"), (format == .json, "--format json"),
      (ignoreNonFatalErrors, "--ignore-non-fatal-errors"), (autoRepair, "--auto-repair"),
      (clearNeedsCheckFlag, "--clear-needs-check-flag"), (undoFile != nil, "--undo-file"),
    ]
    for (isSet, name) in others { try refuse(isSet, "--undo", name) }
  }

  private func refuse(
    _ isSet: Bool, _ one: String, _ other: String
  ) throws(ValidationError) {
    if isSet { throw ValidationError("\(one) can't be used with \(other)") }
  }

  private var mends: Bool { autoRepair || clearNeedsCheckFlag }

  func run() throws(Failure) {
    if let undo { return try putBack(undo) }
    var result = CheckResult(letsLeaksPass: ignoreNonFatalErrors)
    do throws(Failure) { try examine(&result) } catch { result.failure = error }
    // A document is complete, whoever reads it.
    let isWatched = format == .json || ByteSink.standardError.isTerminal
    let advice =
      result.failure == nil
      ? result.report.map {
        Advice(
          $0, input: input, isMended: result.isMended, left: result.left, undoFile: undoFile,
          wasToMend: mends, isWatched: isWatched
        ).lines
      } ?? [] : []
    let unheard: ByteSink.Failure?
    switch format {
    case .text: unheard = say(result, advice)
    case .json: unheard = write(result, advice)
    }
    if let failure = result.failure {
      throw format == .json && unheard == nil ? Failure(failure.status) : failure
    }
    // That nobody hears what the metadata is like does not change what it is like.
    if result.status != .success { throw Failure(result.status) }
    if let unheard { throw Failure(unheard) }
  }

  private func examine(_ result: inout CheckResult) throws(Failure) {
    // Better told now than after the check.
    if let undoFile, ByteSink.exists(undoFile) { throw Failure(existingUndoFile: undoFile) }
    let file = try openInput(input, metadataSnap ? .readInUse : mends ? .write : .read)
    try refuseForeignInput(file, input)
    if metadataSnap { try requireMetadataSnapshot(file, input) }
    try requireRoots(file)
    let report: CheckReport
    do throws(IOError) {
      let bar = ProgressBar(file.progress, isQuiet: shared.quiet)
      report = try CheckReport(of: file, try scope(file))
      _ = consume bar
    } catch {
      throw Failure(input: error)
    }
    result.report = report
    result.isMended = try mend(report, file)
    guard result.isMended else { return }
    result.undoFile = undoFile
    // That it can't be found out would change nothing of what was done.
    if !shared.quiet { result.left = try? report.findingsLeft(in: file) }
  }

  /// Stops where an overriding root is no root of its kind: damage below it would be made up.
  private func requireRoots(_ file: BlockFile) throws(Failure) {
    let roots: [(String, RootKind, UInt64?)] = [
      ("--override-mapping-root", .mappings, overrideMappingRoot),
      ("--override-details-root", .details, overrideDetailsRoot),
    ]
    for (option, kind, root) in roots {
      guard let root else { continue }
      let fault: String?
      do throws(IOError) { fault = try kind.fault(of: root, in: file) } catch {
        throw Failure(input: error)
      }
      if let fault {
        throw Failure(.noInput, "'\(input)' has no such root for \(option) as \(root): \(fault)")
      }
    }
  }

  /// Says what came of it. Returns why standard output could not be written, if it couldn't.
  private func say(_ result: CheckResult, _ advice: [String]) -> ByteSink.Failure? {
    guard let report = result.report else { return nil }
    var unheard: ByteSink.Failure?
    if !shared.quiet {
      do throws(ByteSink.Failure) { try printNumbers(report) } catch { unheard = error }
    }
    // Nobody wants mail about what is sound.
    let isSound = result.verdict == .sound && !result.isMended
    shared.messages.say(
      report.findings, onlyCalling: isSound && !ByteSink.standardError.isTerminal)
    for line in advice { shared.messages.say(line) }
    return unheard
  }

  /// Writes what came of it as JSON; where that fails, says what is wrong with the metadata.
  private func write(_ result: CheckResult, _ advice: [String]) -> ByteSink.Failure? {
    do throws(ByteSink.Failure) {
      try CheckDocument(result, input: input, advice: advice).write(to: .standardOutput)
      return nil
    } catch {
      if let report = result.report, result.status != .success {
        shared.messages.say(report.findings)
        for line in advice { shared.messages.say(line) }
      }
      return error
    }
  }

  /// A flag is only cleared after a full check, so a set flag calls for one.
  private func scope(_ file: BlockFile) throws(IOError) -> CheckScope {
    var scope = CheckScope()
    scope.superblockOnly = superBlockOnly
    scope.skipMappings = skipMappings
    scope.roots.metadataSnapshot = metadataSnap
    scope.roots.mappingRoot = overrideMappingRoot
    scope.roots.detailsRoot = overrideDetailsRoot
    if mends, try file.withBlock(.superblock, { Superblock($0).needsCheck }) {
      scope.superblockOnly = false
      scope.skipMappings = false
    }
    return scope
  }

  /// Two numbers that programs read.
  private func printNumbers(_ report: CheckReport) throws(ByteSink.Failure) {
    guard let superblock = report.superblock, let transactionID = report.transactionID
    else { return }
    let free = MetadataSpace(superblock.metadataSpaceMap).free
    try ByteSink.standardOutput.write(
      "TRANSACTION_ID=\(transactionID)\nMETADATA_FREE_BLOCKS=\(free)\n")
  }

  /// Returns whether anything had to be mended, and was.
  private func mend(_ report: CheckReport, _ file: BlockFile) throws(Failure) -> Bool {
    guard mends, report.isComplete, report.findings.worst != .error, report.needsMending
    else { return false }
    do throws(MendError) { try report.mend(file, keepingUndoAt: undoFile) } catch {
      throw Failure(error, undoFile: undoFile, device: input)
    }
    return true
  }
}
