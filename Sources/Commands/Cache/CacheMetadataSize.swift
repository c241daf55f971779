internal import ArgumentParser
internal import CacheMetadata
internal import PersistentData

/// `cache_metadata_size`: says how large a cache's metadata device has to be.
struct CacheMetadataSize: Tool {
  static let configuration = CommandConfiguration(
    commandName: "cache_metadata_size",
    abstract: "Say how large a cache's metadata has to be.",
    discussion: """
      Sizes are in sectors of 512 bytes, or end in a unit: b, s, k, m, g, t, p, e, or K, M, G, \
      T, P, E for powers of 1000.
      """, version: Toolbox.version)

  @Option(help: ArgumentHelp("Blocks of the cache.", valueName: "count")) var nrBlocks: TypedCount?
  @Option(
    help: ArgumentHelp("The size of the fast device, with --block-size.", valueName: "size"))
  var deviceSize: TypedSize?
  @Option(
    help: ArgumentHelp(
      "The size of a block, a multiple of 32 KiB, with --device-size.", valueName: "size"))
  var blockSize: TypedSize?
  @Option(help: ArgumentHelp("What the policy keeps of each block.", valueName: "bytes"))
  var maxHintWidth: UInt32 = 4
  @OptionGroup var answer: SizeAnswer
  @OptionGroup var shared: SharedOptions

  static func normalized(_ arguments: [String]) -> [String] { SizeAnswer.normalized(arguments) }

  func validate() throws {
    let sizes = (deviceSize, blockSize)
    if nrBlocks != nil {
      if sizes.0 != nil || sizes.1 != nil {
        throw ValidationError("--nr-blocks can't be used with --device-size and --block-size")
      }
      return
    }
    guard sizes.0 != nil, let blockSize = sizes.1 else {
      throw ValidationError("give --nr-blocks, or --device-size and --block-size")
    }
    let sectors = blockSize.bytes / CacheMetadataSize.sectorSize
    guard blockSize.bytes % CacheMetadataSize.sectorSize == 0,
      let sectors = UInt32(exactly: sectors),
      CacheSuperblock.isPossible(dataBlockSectors: sectors)
    else { throw ValidationError("the block size is a multiple of 32 KiB, at most 1 GiB") }
  }

  private static let sectorSize: UInt64 = 512

  func run() throws(Failure) {
    let blocks = nrBlocks?.count ?? deviceSize?.blocks(of: blockSize) ?? 0
    let (size, isLimited) = CacheSize.advised(blocks, hintWidth: UInt64(maxHintWidth))
    try write([answer.line(bytes: size)])
    if isLimited, ByteSink.standardError.isTerminal {
      shared.messages.say(
        "More would be needed, but that is all that kernels use. Larger blocks need less.")
    }
  }
}
