internal import ArgumentParser
internal import CacheMetadata
internal import PersistentData

/// `cache_dump`: writes the metadata of a cache as XML.
struct CacheDump: Tool {
  static let configuration = CommandConfiguration(
    commandName: "cache_dump", abstract: "Write the metadata of a cache as text.",
    version: Toolbox.version)

  @OptionGroup var files: DumpFiles
  @OptionGroup var overrides: CacheOverrideOptions
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    try dump(files, for: .cache, at: CacheReader.Structure.superblock) {
      (file, sink) throws(Failure) in
      let salvage = try salvage(file, files.input, overrides.values)
      var writer = CacheTextWriter(sink)
      do throws(ByteSink.Failure) { try salvage.emit(to: &writer) } catch { throw Failure(error) }
      for line in CacheSalvageSummary(salvage).lines { shared.messages.say(line) }
    } all: {
      (file, superblock: CacheSuperblock, findings, sink) throws(ReadError<ByteSink.Failure>) in
      var reader = CacheReader(file, superblock, findings: findings)
      var writer = CacheTextWriter(sink)
      try CacheEmitter().emit(&reader, to: &writer)
    }
  }
}
