internal import ArgumentParser
internal import CacheMetadata
internal import PersistentData

/// `cache_dump`: writes the metadata of a cache as XML.
struct CacheDump: Tool {
  static let configuration = CommandConfiguration(
    commandName: "cache_dump", abstract: "Write the metadata of a cache as text.",
    version: Toolbox.version)

  @Argument(help: ArgumentHelp("The metadata device or file.", valueName: "file"))
  var input: String
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
  var output: String?
  @Flag(name: .shortAndLong, help: "Write what can be had of damaged metadata.")
  var repair = false
  @OptionGroup var overrides: CacheOverrideOptions
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let file = try openInput(input, .read, repair ? .salvage : .judge, for: .cache)
    if repair {
      try refuseOtherTarget(file, input, for: .cache)
    } else {
      try refuseForeignInput(file, input, for: .cache)
    }
    let sink = try openSink(output, sparing: [input])
    let bar = ProgressBar(file.progress, isQuiet: shared.quiet || output == nil)
    if repair { try dumpRemains(file, sink) } else { try dumpAll(file, sink, bar) }
    try commit(sink)
    bar.finish()
  }

  private func dumpRemains(_ file: BlockFile, _ sink: ByteSink) throws(Failure) {
    let salvage = try salvage(file, input, overrides.values)
    var writer = CacheTextWriter(sink)
    do throws(ByteSink.Failure) { try salvage.say(to: &writer) } catch { throw Failure(error) }
    for line in CacheSalvageSummary(salvage).lines { shared.messages.say(line) }
  }

  private func dumpAll(
    _ file: BlockFile, _ sink: ByteSink, _ bar: borrowing ProgressBar
  ) throws(Failure) {
    let (superblock, findings): (CacheSuperblock, Findings) = try openSuperblock(
      file, input, at: CacheReader.Structure.superblock, for: .cache)
    var reader = CacheReader(file, superblock, findings: findings)
    var writer = CacheTextWriter(sink)
    do throws(CacheReadError<ByteSink.Failure>) {
      try CacheTeller().say(&reader, to: &writer)
    } catch {
      bar.finish()
      switch error {
      case .damaged(let findings): throw damaged(findings, input, for: .cache)
      case .listener(let failure): throw Failure(failure)
      }
    }
  }
}
