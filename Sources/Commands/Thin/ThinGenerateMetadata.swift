internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_generate_metadata`: makes up metadata of a pool, to test and measure with.
struct ThinGenerateMetadata: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_generate_metadata",
    abstract: "Make up metadata of a pool, to test and measure with.",
    version: Toolbox.version)

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to make, or a metadata device.", valueName: "file"))
  var output: String
  @Option(
    name: [.customLong("devices"), .customLong("origins")],
    help: ArgumentHelp("Devices that are not snapshots.", valueName: "count"))
  var devices: UInt64 = 1
  @Option(
    help: ArgumentHelp(
      "Snapshots of each such device.", valueName: "count"))
  var snapshots: UInt64 = 0
  @Option(
    help: ArgumentHelp(
      "Segments of each device; a snapshot shares them one by one.", valueName: "count"))
  var segments: UInt64 = 16
  @Option(
    help: ArgumentHelp(
      "Leaves of each segment, of 252 mappings each. (default: 4)", valueName: "count"))
  var leaves: UInt64?
  @Option(
    help: ArgumentHelp(
      "Mappings of each segment, instead of --leaves.", valueName: "count"))
  var mappings: UInt64?
  @Option(
    help: ArgumentHelp(
      "Segments that each snapshot has of its own, chosen at random.", valueName: "count"))
  var diverge: UInt64 = 0
  @Option(
    help: ArgumentHelp(
      "Percent of each snapshot's blocks that are its own, here and there.", valueName: "percent"))
  var change: TypedPercent?
  @Option(
    help: ArgumentHelp(
      "Blocks in the shortest run of mappings.", valueName: "blocks"))
  var runMin: UInt64 = 1
  @Option(
    help: ArgumentHelp(
      "Blocks in the longest run of mappings.", valueName: "blocks"))
  var runMax: UInt64 = 32
  @Option(
    help: ArgumentHelp(
      "Virtual blocks without mapping after one run in four.", valueName: "blocks"))
  var gap: UInt64 = 4
  @Option(
    help: ArgumentHelp(
      "How runs lie on the data device.", valueName: "order"))
  var data = PoolShape.DataOrder.sequential
  @Flag(help: "Scatter the leaves on the metadata device, as in an aged pool.")
  var scattered = false
  @Option(
    help: ArgumentHelp(
      "Random seed: the same number makes the same pool.", valueName: "number"))
  var seed: UInt64 = 1
  @Option(
    help: ArgumentHelp(
      "Blocks of 4 KiB in the file. (default: what is needed and some more)", valueName: "blocks"))
  var size: UInt64?
  @Option(
    help: ArgumentHelp(
      "Sectors in a data block.", valueName: "sectors"))
  var dataBlockSize: UInt32 = 128
  @Flag(help: "Overwrite what is there.") var force = false
  @OptionGroup var shared: SharedOptions

  private static let mappingsPerLeaf = UInt64(
    BTreeNode.maximumEntries(valueSize: Mapping.valueSize))

  func validate() throws {
    if leaves != nil, mappings != nil {
      throw ValidationError("--leaves can't be used with --mappings")
    }
    if let leaves, leaves > .max / ThinGenerateMetadata.mappingsPerLeaf {
      throw ValidationError("there can't be so many leaves")
    }
    if let problem = shape.problem ?? GeneratedOutput.problem(size: size) {
      throw ValidationError(problem)
    }
  }

  private var shape: PoolShape {
    var shape = PoolShape()
    shape.origins = devices
    shape.snapshots = snapshots
    shape.segments = segments
    shape.mappings = mappings ?? (leaves ?? 4) * ThinGenerateMetadata.mappingsPerLeaf
    shape.divergedSegments = diverge
    shape.changedPerMillion = change?.partsPerMillion ?? 0
    shape.shortestRun = runMin
    shape.longestRun = runMax
    shape.gap = gap
    shape.dataOrder = data
    shape.seed = seed
    shape.dataBlockSectors = dataBlockSize
    return shape
  }

  func run() throws(Failure) {
    let shape = shape
    let generator = PoolGenerator(shape)
    let target = GeneratedOutput(path: output, isForced: force, sizeBlocks: size)
    let map = try target.write(
      roomyBlocks: generator.roomyBlocks, spaceMap: { Superblock($0).metadataSpaceMap }
    ) { (file) throws(WriteError) in
      try generator.write(to: file)
      if scattered { try LeafScatter.scatter(file, seed: seed) }
    }
    shared.messages.say(
      "Made \(shape.deviceCount) devices with \(shape.mappingsPerDevice) mappings each, to "
        + "\(generator.mappedDataBlocks) data blocks; \(map.allocatedCount) of \(map.blockCount) "
        + "metadata blocks are in use.")
  }
}

extension PoolShape.DataOrder: ExpressibleByArgument {}
