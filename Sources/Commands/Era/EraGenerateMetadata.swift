internal import ArgumentParser
internal import EraMetadata
internal import PersistentData

/// `era_generate_metadata`: makes up metadata of an era device, to test and measure with.
struct EraGenerateMetadata: Tool {
  static let configuration = CommandConfiguration(
    commandName: "era_generate_metadata",
    abstract: "Make up era metadata, to test and measure with.",
    version: Toolbox.version)

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to make, or a metadata device.", valueName: "file"))
  var output: String
  @Option(help: ArgumentHelp("Sectors in a block.", valueName: "sectors"))
  var blockSize: UInt32 = 128
  @Option(help: ArgumentHelp("Blocks of the origin.", valueName: "blocks"))
  var nrBlocks: UInt32 = 10_240
  @Option(help: ArgumentHelp("The era that the device is in.", valueName: "era"))
  var currentEra: UInt32 = 32
  @Option(
    help: ArgumentHelp("Archived writesets; the last is the current era's.", valueName: "count"))
  var nrWritesets: UInt32 = 2
  @Option(
    help: ArgumentHelp(
      "Percent of the blocks that each era wrote. (default: 10)", valueName: "percent"))
  var percentWritten: TypedPercent?
  @Option(help: ArgumentHelp("Blocks in the longest run of them.", valueName: "blocks"))
  var runMax: UInt64 = 32
  @Option(
    help: ArgumentHelp(
      "Random seed: the same number makes the same metadata.", valueName: "number"))
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

  private var shape: EraShape {
    var shape = EraShape()
    shape.dataBlockSectors = blockSize
    shape.blockCount = nrBlocks
    shape.currentEra = currentEra
    shape.writesets = nrWritesets
    shape.writtenPerMillion = percentWritten?.partsPerMillion ?? shape.writtenPerMillion
    shape.longestRun = runMax
    shape.seed = seed
    return shape
  }

  func run() throws(Failure) {
    let generator = EraGenerator(shape)
    let target = GeneratedOutput(path: output, isForced: force, sizeBlocks: size)
    let map = try target.write(
      roomyBlocks: generator.roomyBlocks, spaceMap: { EraSuperblock($0).metadataSpaceMap }
    ) { (file) throws(WriteError) in
      try generator.write(through: EraRestorer(file))
    }
    shared.messages.say(
      "Made an era device of \(nrBlocks) blocks with \(nrWritesets) writesets; "
        + "\(map.allocatedCount) of \(map.blockCount) metadata blocks are in use.")
  }
}
