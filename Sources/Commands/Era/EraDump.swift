internal import ArgumentParser
internal import EraMetadata
internal import PersistentData

/// `era_dump`: writes the metadata of an era device as XML.
struct EraDump: Tool {
  static let configuration = CommandConfiguration(
    commandName: "era_dump", abstract: "Write the metadata of an era device as text.",
    version: Toolbox.version)

  @Flag(help: "Merge the writesets into the eras of blocks, and write no writesets.")
  var logical = false
  @OptionGroup var files: DumpFiles
  @OptionGroup var overrides: EraOverrideOptions
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    try dump(files, for: .era, at: EraReader.Structure.superblock) {
      (file, sink) throws(Failure) in
      let salvage = try salvage(file, files.input, overrides.values)
      var writer = EraTextWriter(sink)
      do throws(ByteSink.Failure) { try salvage.emit(to: &writer) } catch { throw Failure(error) }
      for line in EraSalvageSummary(salvage).lines { shared.messages.say(line) }
    } all: {
      (file, superblock: EraSuperblock, findings, sink) throws(ReadError<ByteSink.Failure>) in
      var reader = EraReader(file, superblock, findings: findings)
      var writer = EraTextWriter(sink)
      var emitter = EraEmitter()
      emitter.isLogical = logical
      try emitter.emit(&reader, to: &writer)
    }
  }
}
