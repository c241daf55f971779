internal import ArgumentParser
internal import PersistentData

/// Input and output of a dump of a cache or an era device.
struct DumpFiles: ParsableArguments {
  @Argument(help: ArgumentHelp("The metadata device or file.", valueName: "file"))
  var input: String
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
  var output: String?
  @Flag(name: .shortAndLong, help: "Write what is left of damaged metadata.")
  var repair = false
}

extension Tool {
  /// Dumps sound metadata with `all`, or, for `--repair`, what is left of it with `remains`.
  func dump<Superblock: SuperblockFormat>(
    _ files: DumpFiles, for target: MetadataTarget, at site: Site,
    remains: (BlockFile, ByteSink) throws(Failure) -> Void,
    all: (BlockFile, Superblock, Findings, ByteSink) throws(ReadError<ByteSink.Failure>) -> Void
  ) throws(Failure) {
    let input = files.input
    let file = try openInput(input, .read, files.repair ? .salvage : .judge, for: target)
    if files.repair {
      try refuseOtherTarget(file, input, for: target)
    } else {
      try refuseForeignInput(file, input, for: target)
    }
    let sink = try openSink(files.output, sparing: [input])
    let bar = ProgressBar(file.progress, isQuiet: shared.quiet || files.output == nil)
    if files.repair {
      try remains(file, sink)
    } else {
      let (superblock, findings): (Superblock, Findings) = try openSuperblock(
        file, input, at: site, for: target)
      do throws(ReadError<ByteSink.Failure>) {
        try all(file, superblock, findings, sink)
      } catch {
        bar.finish()
        switch error {
        case .damaged(let findings): throw damaged(findings, input, for: target)
        case .listener(let failure): throw Failure(failure)
        }
      }
    }
    try commit(sink)
    bar.finish()
  }
}
