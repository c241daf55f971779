internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_check`: says whether the metadata of a thin pool can be trusted.
struct ThinCheck: CheckTool {
  static let configuration = CommandConfiguration(
    commandName: "thin_check", abstract: "Check the metadata of a thin pool.",
    version: Toolbox.version)
  static let target = MetadataTarget.thin

  @OptionGroup var options: CheckOptions
  @OptionGroup var needsCheck: NeedsCheckOption
  @Flag(help: "Leave out the mappings and the space maps.") var skipMappings = false
  @Flag(name: .shortAndLong, help: "Check the metadata snapshot.") var metadataSnap = false
  @Option(help: ArgumentHelp("Check the mappings below this block.", valueName: "block"))
  var overrideMappingRoot: UInt64?
  @Option(help: ArgumentHelp("Check the details below this block.", valueName: "block"))
  var overrideDetailsRoot: UInt64?
  @OptionGroup var shared: SharedOptions

  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map(MetadataSnapshotOption.normalized)
  }

  func validate() throws {
    let roots = [
      (metadataSnap, "--metadata-snap"), (overrideMappingRoot != nil, "--override-mapping-root"),
      (overrideDetailsRoot != nil, "--override-details-root"),
    ]
    let clear = (needsCheck.isCleared, "--clear-needs-check-flag")
    try validate(parts: [(skipMappings, "--skip-mappings")] + roots, others: [clear])
    guard needsCheck.isCleared else { return }
    for (isSet, name) in roots { try refuse(isSet, clear.1, name) }
  }

  var mends: Bool { options.autoRepair || needsCheck.isCleared }
  var access: BlockFile.Access { metadataSnap ? .readInUse : mends ? .write : .read }

  func requireParts(of file: BlockFile) throws(Failure) {
    if metadataSnap { try requireMetadataSnapshot(file, options.input) }
    try requireRoots(file)
  }

  func report(of file: BlockFile) throws(IOError) -> CheckReport {
    CheckReport(of: file, try scope(file))
  }

  func advice(
    _ report: CheckReport, _ result: CheckResult<CheckReport>, isWatched: Bool
  ) -> [String] {
    Advice(
      report, input: options.input, isMended: result.isMended, left: result.left,
      undoFile: options.undoFile, wasToMend: mends, isWatched: isWatched
    ).lines
  }

  func write(_ report: CheckReport, _ json: inout JSONWriter) { json.check(report) }

  /// Fails if an overriding root isn't a root of its kind: damage reported below it would be false.
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
        throw Failure(
          .noInput, "'\(options.input)' has no such root for \(option) as \(root): \(fault)")
      }
    }
  }

  /// A flag is only cleared after a full check, so a set flag calls for one.
  private func scope(_ file: BlockFile) throws(IOError) -> CheckScope {
    var scope = CheckScope()
    scope.superblockOnly = options.superBlockOnly
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

  /// Two numbers for programs to parse.
  func numbers(_ report: CheckReport) -> String? {
    guard let superblock = report.superblock, let transactionID = report.transactionID
    else { return nil }
    let free = MetadataSpace(superblock.metadataSpaceMap).free
    return "TRANSACTION_ID=\(transactionID)\nMETADATA_FREE_BLOCKS=\(free)\n"
  }
}
