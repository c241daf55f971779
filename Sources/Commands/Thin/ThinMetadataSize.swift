internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_metadata_size`: says how large a pool's metadata device has to be.
struct ThinMetadataSize: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_metadata_size",
    abstract: "Say how large a pool's metadata device has to be.",
    discussion: """
      Sizes are in sectors of 512 bytes, or end in a unit: b, s, k, m, g, t, p, e, or K, M, G, \
      T, P, E for powers of 1000.
      """, version: Toolbox.version)

  @Option(
    name: .attached("b"),
    help: ArgumentHelp("The size of a data block, a multiple of 64 KiB.", valueName: "size"))
  var blockSize: TypedSize
  @Option(
    name: .attached("s"), help: ArgumentHelp("The size of the data device.", valueName: "size"))
  var poolSize: TypedSize
  @Option(
    name: .attached("m"),
    help: ArgumentHelp("Thin devices, snapshots among them.", valueName: "count"))
  var maxThins: TypedCount
  @Option(
    help: ArgumentHelp(
      "Snapshots that will be kept of each device, beside it.", valueName: "count"))
  var snapshots: UInt64?
  @Option(
    help: ArgumentHelp(
      "Percent of a device's blocks that change from one snapshot to the next.",
      valueName: "percent"))
  var change: TypedPercent?
  @OptionGroup var answer: SizeAnswer
  @OptionGroup var shared: SharedOptions

  static func normalized(_ arguments: [String]) -> [String] {
    SizeAnswer.normalized(arguments)
  }

  func validate() throws {
    let sectors = blockSize.bytes / ThinMetadataSize.sectorSize
    guard blockSize.bytes % ThinMetadataSize.sectorSize == 0,
      let sectors = UInt32(exactly: sectors), Superblock.isPossible(dataBlockSectors: sectors)
    else { throw ValidationError("the block size is a multiple of 64 KiB, at most 1 GiB") }
    if poolSize.bytes < blockSize.bytes {
      throw ValidationError("the pool is no smaller than a block")
    }
    if let snapshots, snapshots > DeviceDetails.deviceIDMaximum {
      throw ValidationError("there can be \(DeviceDetails.deviceIDMaximum) devices at most")
    }
    if change != nil, snapshots == nil { throw ValidationError("--change needs --snapshots") }
  }

  private static let sectorSize: UInt64 = 512

  func run() throws(Failure) {
    let forecast = PoolForecast(
      dataBlockCount: poolSize.bytes / blockSize.bytes, deviceCount: maxThins.count,
      snapshots: snapshots ?? 0, changedPerMillion: change?.partsPerMillion ?? 0)
    let (blocks, isLimited) = forecast.needed
    let size = blocks * UInt64(MetadataBlock.size)
    do throws(ByteSink.Failure) {
      try ByteSink.standardOutput.write(answer.line(bytes: size) + "\n")
    } catch {
      throw Failure(error)
    }
    // Scripts with only the old options expect nothing but the number.
    if isLimited, snapshots != nil || ByteSink.standardError.isTerminal {
      shared.messages.say(
        "More would be of use, but that is all that kernels use: the metadata may be full before "
          + "the data. Larger blocks need less.")
    }
  }
}
