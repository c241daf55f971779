internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_delta`: compares two devices of a thin pool.
struct ThinDelta: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_delta", abstract: "Tell in which blocks two thin devices differ.",
    usage: """
      thin_delta [OPTION ...] --thin1 ID --thin2 ID FILE
      thin_delta [OPTION ...] --root1 BLOCK --root2 BLOCK FILE
      """,
    version: Toolbox.version)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case xml
    case json
  }

  enum Compatibility: String, CaseIterable, ExpressibleByArgument {
    case version09 = "0.9"
  }

  @Argument(help: ArgumentHelp("The metadata device or file; it is only read.", valueName: "file"))
  var input: String
  @Option(
    name: [.customLong("thin1"), .customLong("snap1")],
    help: ArgumentHelp("The device on the left.", valueName: "id"))
  var leftDevice: UInt64?
  @Option(
    name: [.customLong("thin2"), .customLong("snap2")],
    help: ArgumentHelp("The device on the right.", valueName: "id"))
  var rightDevice: UInt64?
  @Option(
    name: .customLong("root1"),
    help: ArgumentHelp("The device on the left, by its tree's root.", valueName: "block"))
  var leftRoot: UInt64?
  @Option(
    name: .customLong("root2"),
    help: ArgumentHelp("The device on the right, by its tree's root.", valueName: "block"))
  var rightRoot: UInt64?
  @Flag(name: .shortAndLong, help: "Compare what the metadata snapshot has.")
  var metadataSnap = false
  @Flag(help: "Write the data blocks too.") var verbose = false
  @Flag(help: "Leave out, and don't read, what is the same.") var skipSame = false
  @Option(name: .attached("f"), help: "How to write it.") var format = Format.xml
  @Option(help: ArgumentHelp("Write XML as that version did.", valueName: "version"))
  var compat: Compatibility?
  @OptionGroup var shared: SharedOptions

  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map(MetadataSnapshotOption.normalized)
  }

  func validate() throws {
    for (device, root, side, number) in [
      (leftDevice, leftRoot, "left", 1), (rightDevice, rightRoot, "right", 2),
    ] {
      if device != nil, root != nil {
        throw ValidationError("--thin\(number) can't be used with --root\(number)")
      }
      if device == nil, root == nil {
        throw ValidationError(
          "the \(side) side is missing: name it with --thin\(number), --snap\(number) or "
            + "--root\(number)")
      }
    }
    if compat != nil, format != .xml {
      throw ValidationError("--compat can only be used with the format xml")
    }
  }

  func run() throws(Failure) {
    let reader = try openPool(input, metadataSnapshot: metadataSnap, skippingMappings: true)
    let left = try side(leftDevice, leftRoot, reader)
    let right = try side(rightDevice, rightRoot, reader)
    var delta = TreeDelta()
    delta.skipsSame = skipSame
    delta.endsRunsByData = verbose || format == .json
    let bar = ProgressBar(reader.file.progress, isQuiet: shared.quiet)
    var problem: DumpError?
    do throws(DumpError) {
      switch format {
      case .xml: try writeXML(delta, left, right, reader)
      case .json:
        let document = DeltaDocument(input: input, ofMetadataSnapshot: metadataSnap)
        try document.write(delta, left, right, reader, to: .standardOutput)
      }
    } catch {
      problem = error
    }
    _ = consume bar
    if let problem { throw failure(problem) }
  }

  private func writeXML(
    _ delta: TreeDelta, _ left: DeltaSide, _ right: DeltaSide, _ reader: PoolReader
  ) throws(DumpError) {
    var pool = reader.header
    // The live pool's number: a metadata snapshot may not know it.
    pool.dataBlockCount = reader.dataBlockCount
    var writer = DeltaXMLWriter(
      .standardOutput, isVerbose: verbose, isCompatible: compat == .version09)
    writer.begin(
      pool, heldRoot: metadataSnap ? 0 : reader.superblock.heldRoot, left.name, right.name)
    try delta.run(left, right, in: reader) { (run) throws(DumpError) in
      do throws(ByteSink.Failure) { try writer.write(run) } catch { throw .output(error) }
    }
    do throws(ByteSink.Failure) { try writer.end() } catch { throw .output(error) }
  }

  private func side(
    _ device: UInt64?, _ root: UInt64?, _ reader: PoolReader
  ) throws(Failure) -> DeltaSide {
    let name = device.map { DeltaSide.Name.device($0) } ?? .root(root ?? 0)
    do throws(DeltaSide.Failure) { return try DeltaSide(name, in: reader) } catch {
      switch error {
      case .noSuchDevice(let others):
        throw Failure(
          .noInput,
          "there is no device \(device ?? 0) in '\(input)'; it has \(others.deviceIDs)")
      case .noDevicesRoot:
        throw Failure(
          .noInput, "block \(root ?? 0) of '\(input)' is not where the tree of a device begins")
      case .lostDevice:
        shared.messages.say(reader.findings)
        throw Failure(
          .damaged,
          "the metadata is damaged, and the tree of device \(device ?? 0) can't be found; "
            + "'thin_check \(input)' tells more")
      }
    }
  }

  private func failure(_ error: DumpError) -> Failure {
    switch error {
    case .damaged(let findings):
      shared.messages.say(findings)
      return Failure(
        .damaged,
        "the metadata is damaged, so the comparison is not complete; 'thin_check \(input)' tells "
          + "more")
    case .output(let failure): return Failure(failure)
    }
  }
}
