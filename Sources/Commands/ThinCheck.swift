internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_check`: says whether the metadata of a thin pool can be trusted.
struct ThinCheck: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_check", abstract: "Check the metadata of a thin pool.",
    version: Toolbox.version)

  @Argument(help: "The metadata device or file.") var input: String
  @Flag(help: "Check the superblock only.") var superBlockOnly = false
  @Flag(help: "Leave out the mappings and the space maps.") var skipMappings = false
  @Flag(name: .shortAndLong, help: "Check the metadata snapshot.") var metadataSnap = false
  @Option(help: "Check the mappings below this block.") var overrideMappingRoot: UInt64?
  @Option(help: "Check the details below this block.") var overrideDetailsRoot: UInt64?
  @Flag(help: "Let leaks pass: exit 0.") var ignoreNonFatalErrors = false
  @Flag(help: "Mend what can be mended in place, when there is no error.") var autoRepair = false
  @Flag(help: "The same, and clear the needs_check flag.") var clearNeedsCheckFlag = false
  @OptionGroup var shared: SharedOptions

  func validate() throws {
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

  private func refuse(_ isSet: Bool, _ one: String, _ other: String) throws {
    if isSet { throw ValidationError("\(one) can't be used with \(other)") }
  }

  private var mends: Bool { autoRepair || clearNeedsCheckFlag }

  func run() throws {
    let file = try openInput(input, metadataSnap ? .readInUse : mends ? .write : .read)
    var scope = CheckScope()
    scope.superblockOnly = superBlockOnly
    scope.skipMappings = skipMappings
    scope.roots.metadataSnapshot = metadataSnap
    scope.roots.mappingRoot = overrideMappingRoot
    scope.roots.detailsRoot = overrideDetailsRoot
    let report: CheckReport
    do { report = try CheckReport(of: file, scope) } catch { throw Failure(input: error) }
    for finding in report.findings.sorted { shared.messages.say("\(finding)") }
    if report.findings.worst == .error { throw Failure(.damaged) }
  }
}
