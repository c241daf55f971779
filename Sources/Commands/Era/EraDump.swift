internal import ArgumentParser
internal import EraMetadata
internal import PersistentData

/// `era_dump`: writes the metadata of an era device as XML.
struct EraDump: Tool {
  static let configuration = CommandConfiguration(
    commandName: "era_dump", abstract: "Write the metadata of an era device as text.",
    version: Toolbox.version)

  @Argument(help: ArgumentHelp("The metadata device or file.", valueName: "file"))
  var input: String
  @Flag(help: "Put what the writesets tell into the eras of blocks, and write no writesets.")
  var logical = false
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
  var output: String?
  @Flag(name: .shortAndLong, help: "Write what can be had of damaged metadata.")
  var repair = false
  @OptionGroup var overrides: EraOverrideOptions
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let file = try openInput(input, .read, repair ? .salvage : .judge, for: .era)
    if repair {
      try refuseOtherTarget(file, input, for: .era)
    } else {
      try refuseForeignInput(file, input, for: .era)
    }
    let sink = try openSink(output, sparing: [input])
    let bar = ProgressBar(file.progress, isQuiet: shared.quiet || output == nil)
    if repair { try dumpRemains(file, sink) } else { try dumpAll(file, sink, bar) }
    try commit(sink)
    bar.finish()
  }

  private func dumpRemains(_ file: BlockFile, _ sink: ByteSink) throws(Failure) {
    let salvage = try salvage(file, input, overrides.values)
    var writer = EraTextWriter(sink)
    do throws(ByteSink.Failure) { try salvage.say(to: &writer) } catch { throw Failure(error) }
    for line in EraSalvageSummary(salvage).lines { shared.messages.say(line) }
  }

  private func dumpAll(
    _ file: BlockFile, _ sink: ByteSink, _ bar: borrowing ProgressBar
  ) throws(Failure) {
    let (superblock, findings): (EraSuperblock, Findings) = try openSuperblock(
      file, input, at: EraReader.Structure.superblock, for: .era)
    var reader = EraReader(file, superblock, findings: findings)
    var teller = EraTeller()
    teller.isLogical = logical
    var writer = EraTextWriter(sink)
    do throws(EraReadError<ByteSink.Failure>) {
      try teller.say(&reader, to: &writer)
    } catch {
      bar.finish()
      switch error {
      case .damaged(let findings): throw damaged(findings, input, for: .era)
      case .listener(let failure): throw Failure(failure)
      }
    }
  }
}
