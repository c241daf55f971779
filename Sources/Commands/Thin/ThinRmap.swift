internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_rmap`: says which devices map some blocks of the data device.
struct ThinRmap: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_rmap",
    abstract: "Tell which devices have some data blocks or bytes.",
    usage: """
      thin_rmap [OPTION ...] --region B..E FILE
      thin_rmap [OPTION ...] --byte-offset OFFSET FILE
      """,
    version: Toolbox.version)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
  }

  /// Data blocks `B..E`, without block E.
  struct Region: ExpressibleByArgument {
    let blocks: Range<UInt64>

    init?(argument: String) {
      guard let blocks = DataRegions.parse(argument) else { return nil }
      self.blocks = blocks
    }
  }

  /// A byte, or with the suffix `s` a sector, on the data device.
  struct Place: ExpressibleByArgument {
    let byte: UInt64

    init?(argument: String) {
      let isSector = argument.hasSuffix("s")
      guard argument.first?.isNumber == true,
        let number = UInt64(isSector ? argument.dropLast() : argument[...])
      else { return nil }
      let (byte, isTooLarge) = number.multipliedReportingOverflow(by: isSector ? 512 : 1)
      if isTooLarge { return nil }
      self.byte = byte
    }
  }

  @Argument(help: ArgumentHelp("The metadata device or file; it is only read.", valueName: "file"))
  var input: String
  @Option(
    name: .customLong("region"),
    help: ArgumentHelp(
      "Data blocks from B up to, but without, E; can be repeated.", valueName: "B..E"))
  var regions: [Region] = []
  @Option(
    name: .customLong("byte-offset"),
    help: ArgumentHelp(
      "A byte of the data device, or a sector: 12345s; can be repeated.", valueName: "offset"))
  var places: [Place] = []
  @Flag(name: .shortAndLong, help: "Look at the metadata snapshot.") var metadataSnap = false
  @Option(name: .attached("f"), help: "How to list.") var format = Format.text
  @OptionGroup var names: NameOptions
  @OptionGroup var shared: SharedOptions

  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map(MetadataSnapshotOption.normalized)
  }

  func validate() throws {
    if regions.isEmpty == places.isEmpty {
      throw ValidationError(
        regions.isEmpty
          ? "say which blocks: --region B..E, or which byte: --byte-offset N"
          : "--region can't be used with --byte-offset")
    }
  }

  func run() throws(Failure) {
    let reader = try openPool(input, metadataSnapshot: metadataSnap)
    let names = try names.read()
    let blockSize = UInt64(reader.chosenSuperblock.dataBlockSectors) * 512
    let ranges = try regions.map(\.blocks) + blocks(of: places, reader, blockSize)
    let bar = ProgressBar(reader.file.progress, isQuiet: shared.quiet)
    var map = ReverseMap(reader, DataRegions(ranges))
    do throws(ByteSink.Failure) {
      switch (format, places.isEmpty) {
      case (.text, true): try map.write(to: .standardOutput, names: names)
      case (.text, false): try writePlaces(&map, names, blockSize)
      case (.json, _):
        let document = ReverseDocument(
          input: input, names: names, places: places.map(\.byte), blockSize: blockSize)
        try document.write(&map, to: .standardOutput)
      }
    } catch {
      throw Failure(error)
    }
    _ = consume bar
    try reportDamage(map)
  }

  /// The data blocks that hold some bytes, which must all be on the data device.
  private func blocks(
    of places: [Place], _ reader: PoolReader, _ blockSize: UInt64
  ) throws(Failure) -> [Range<UInt64>] {
    var blocks: [Range<UInt64>] = []
    for place in places {
      // A damaged superblock may give a block size of 0.
      let block = place.byte / max(1, blockSize)
      guard block < reader.dataBlockCount else {
        throw Failure(
          .usage,
          "byte \(place.byte) lies beyond the data device, which has \(reader.dataBlockCount) "
            + "blocks of \(blockSize) bytes")
      }
      blocks.append(block..<block + 1)
    }
    return blocks
  }

  private func writePlaces(
    _ map: inout ReverseMap, _ names: VolumeNames, _ blockSize: UInt64
  ) throws(ByteSink.Failure) {
    var text = ReverseText(names: names)
    let found = FoundPlaces(places.map(\.byte), &map, blockSize: blockSize)
    for place in found.places {
      for user in place.users {
        text.append(byte: place.byte, at: user.byte, of: user.device)
      }
    }
    try text.write(to: .standardOutput)
    for place in found.places where place.users.isEmpty {
      shared.messages.say(
        "No device has byte \(place.byte) (data block \(place.byte / max(1, blockSize))).")
    }
  }

  private func reportDamage(_ map: ReverseMap) throws(Failure) {
    shared.messages.say(map.findings)
    let lost = map.devicesNotWhole
    guard map.findings.worst == .error || !lost.isEmpty else { return }
    throw Failure(
      .damaged,
      "the metadata is damaged"
        + (lost.isEmpty ? "" : ", so mappings may be missing of \(lost.deviceIDs)")
        + "; 'thin_check \(input)' tells more")
  }
}
