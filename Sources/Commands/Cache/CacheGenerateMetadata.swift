internal import ArgumentParser
internal import CacheMetadata
internal import PersistentData

/// `cache_generate_metadata`: makes up cache metadata, to test and measure with.
struct CacheGenerateMetadata: Tool {
  static let configuration = CommandConfiguration(
    commandName: "cache_generate_metadata",
    abstract: "Make up metadata of a cache, to test and measure with.",
    version: Toolbox.version)

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to make, or a metadata device.", valueName: "file"))
  var output: String
  @Option(help: ArgumentHelp("Sectors in a cache block.", valueName: "sectors"))
  var cacheBlockSize: UInt32 = 128
  @Option(help: ArgumentHelp("Blocks of the cache.", valueName: "blocks"))
  var nrCacheBlocks: UInt32 = 10_240
  @Option(help: ArgumentHelp("Blocks of the origin.", valueName: "blocks"))
  var nrOriginBlocks: UInt64 = 1_048_576
  @Option(
    help: ArgumentHelp(
      "Percent of the cache that is in use. (default: 80)", valueName: "percent"))
  var percentResident: TypedPercent?
  @Option(
    help: ArgumentHelp(
      "Percent of these that are dirty. (default: 50)", valueName: "percent"))
  var percentDirty: TypedPercent?
  @Option(
    help: ArgumentHelp("Blocks of the origin that are cached side by side.", valueName: "blocks"))
  var hotspotSize: UInt64 = 1
  @Option(help: "The form of the metadata: 2 keeps dirty bits apart from the mappings.")
  var metadataVersion = CacheRestore.Version.inBitset
  @Flag(help: "Make metadata as after a crash: the kernel takes every block for dirty.")
  var omitCleanShutdown = false
  @Option(
    help: ArgumentHelp(
      "Random seed: the same number makes the same cache.", valueName: "number"))
  var seed: UInt64 = 1
  @Option(
    help: ArgumentHelp(
      "Blocks of 4 KiB in the file. (default: what is needed and some more)", valueName: "blocks"))
  var size: UInt64?
  @Flag(help: "Overwrite what is there.") var force = false
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if let problem = shape.problem ?? GeneratedOutput.problem(size: size) {
      throw ValidationError(problem)
    }
  }

  private var shape: CacheShape {
    var shape = CacheShape()
    shape.dataBlockSectors = cacheBlockSize
    shape.cacheBlocks = nrCacheBlocks
    shape.originBlocks = nrOriginBlocks
    shape.residentPerMillion = percentResident?.partsPerMillion ?? shape.residentPerMillion
    shape.dirtyPerMillion = percentDirty?.partsPerMillion ?? shape.dirtyPerMillion
    shape.hotspotBlocks = hotspotSize
    shape.seed = seed
    return shape
  }

  func run() throws(Failure) {
    let shape = shape
    let generator = CacheGenerator(shape)
    let target = GeneratedOutput(path: output, isForced: force, sizeBlocks: size)
    let map = try target.write(
      roomyBlocks: generator.roomyBlocks, spaceMap: { CacheSuperblock($0).metadataSpaceMap }
    ) { (file) throws(WriteError) in
      var restorer = CacheRestorer(file)
      restorer.version = metadataVersion == .inMappings ? 1 : 2
      restorer.omitsCleanShutdown = omitCleanShutdown
      try generator.write(through: restorer)
    }
    shared.messages.say(
      "Made a cache of \(shape.cacheBlocks) blocks, \(shape.residentBlocks) of them in use and "
        + "\(shape.dirtyBlocks) dirty; \(map.allocatedCount) of \(map.blockCount) metadata blocks "
        + "are in use.")
  }
}
