internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_show`: draws a picture of a pool, in a terminal or as a page.
struct ThinShow: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_show",
    abstract: "Show a pool in one picture: space, sharing, age.",
    discussion: """
      Without --html the picture is text, 78 columns wide; in colour on a terminal, unless \
      NO_COLOR is set.
      """,
    version: Toolbox.version)

  @Argument(help: ArgumentHelp("The metadata device or file; it is only read.", valueName: "file"))
  var input: String
  @Option(
    name: .customLong("html"),
    help: ArgumentHelp(
      "Write a page to this file, all in one, for any browser; - is standard output.",
      valueName: "file"))
  var page: String?
  @Flag(name: .shortAndLong, help: "Show what the metadata snapshot has.")
  var metadataSnap = false
  @OptionGroup var names: NameOptions
  @OptionGroup var shared: SharedOptions

  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map(MetadataSnapshotOption.normalized)
  }

  func run() throws(Failure) {
    let reader = try openPool(input, metadataSnapshot: metadataSnap)
    let volumeNames = try names.read()
    // Fail now rather than after reading everything.
    let sink = try openPage()
    let bar = ProgressBar(reader.file.progress, isQuiet: shared.quiet)
    let picture = try picture(reader, volumeNames)
    _ = consume bar
    let advice = Advice(picture.report, input: input, isMended: false).lines
    let check = picture.report.findings.lines(\.description) + advice
    var unheard: Failure?
    do throws(Failure) {
      if let sink {
        try write(HTMLPicture(picture, input: input, check: check).text, to: sink)
      } else {
        let isColoured = ByteSink.standardOutput.takesColour
        try write(TextPicture(picture, input: input, check: check, isColoured: isColoured).lines)
      }
    } catch {
      unheard = error
    }
    // A picture on a terminal has shown the findings already.
    let findings = picture.report.findings
    let isSeen = page == nil && unheard == nil && ByteSink.standardOutput.isTerminal
    if findings.callForAction, !isSeen { shared.messages.say(findings) }
    if let unheard, unheard.status != .success { throw unheard }
    // The exit status tells the state of the metadata, whoever reads the picture.
    if (findings.worst ?? .note) >= .leak { throw Failure(.damaged) }
  }

  private func openPage() throws(Failure) -> ByteSink? {
    guard let page else { return nil }
    if page == "-" { return .standardOutput }
    return try openSink(page, sparing: [input] + [names.file].compactMap(\.self), as: "the page")
  }

  private func picture(
    _ reader: PoolReader, _ names: VolumeNames
  ) throws(Failure) -> PoolPicture {
    var scope = CheckScope()
    scope.roots.metadataSnapshot = metadataSnap
    let report = CheckReport(of: reader.file, scope)
    // A running pool overwrites its old states.
    let old = metadataSnap ? nil : OldRoots(reader.file)
    return PoolPicture(reader, report, old, names: names, input: input)
  }

  private func write(_ text: String, to sink: ByteSink) throws(Failure) {
    do throws(ByteSink.Failure) { try sink.write(text) } catch { throw Failure(error) }
    try commit(sink)
  }
}
