import Foundation
import TestSupport
import Testing

/// thin_repair --report and --dry-run.
@Suite struct ThinRepairReportTests {
  private let scratch: Scratch
  private let report: String

  init() throws {
    scratch = try Scratch()
    report = scratch.folder.path + "/report.json"
  }

  @Test(arguments: Images.names)
  func `the report of a sound pool has everything intact`(name: String) throws {
    let image = try Images.path(name)
    let run = try RepairRun(["--dry-run", "-i", image], report: report)
    #expect(run.shell.status == 0)
    let pool = PoolText(try Program.dump(image).output)
    #expect(run.devices.count == pool.devices.count)
    for device in run.devices {
      let mapped = device["mapped_blocks"]?.integer
      #expect(device["kept"]?["intact"]?.integer == mapped)
      #expect(device["mapped_blocks_before"]?.integer == mapped)
      #expect(device["lost"]?.elements.isEmpty == true)
    }
    #expect(run.damagedBlocks.isEmpty)
  }

  @Test func `a dry run says what a repair says, and writes nothing`() throws {
    let image = try scratch.withoutFirstLeaf("thins")
    let before = try Images.bytes(image)
    let dry = try RepairRun(["--dry-run", "-i", image], report: report)
    #expect(try Images.bytes(image) == before)
    #expect(dry.document["dry_run"] == .boolean(true))
    #expect(dry.document["output"] == nil)
    let lines = dry.shell.errorText.split(separator: "\n").map(String.init)
    let match = try #require(
      lines.first?.firstMatch(of: /^Nothing .*; make NEW (\d+) KiB or more\. A repair would say:$/))
    #expect(Array(lines.dropFirst()) == dry.summary)

    // The size that it names is enough.
    let size = try #require(Int(match.1))
    let output = try scratch.blank("output", bytes: size << 10)
    let wet = try RepairRun(["-i", image, "-o", output], report: report)
    #expect(wet.shell.status == 0)
    #expect(wet.summary == dry.summary)
    #expect(wet.document["devices"] == dry.document["devices"])
    #expect(wet.document["output"]?.string == output)
    #expect(wet.document["needed_metadata_blocks"] == nil)
    #expect(try Program.check(output).status == 0)
  }

  @Test(arguments: [false, true])
  func `overwritten data is told by device, and left out if so wanted`(isDropped: Bool) throws {
    let image = try scratch.file("image", TestFiles.image("thin-faulty/two-owners"))
    let output = try scratch.blank("output", bytes: 4 << 20)
    let options = ["-i", image] + (isDropped ? ["--drop-overwritten"] : [])
    let dry = try RepairRun(["--dry-run"] + options, report: report)
    let wet = try RepairRun(["-o", output] + options, report: report)
    #expect(wet.shell.status == 0)
    #expect(wet.document["devices"] == dry.document["devices"])
    #expect(wet.summary == dry.summary)
    #expect(wet.document["drop_overwritten"] == .boolean(isDropped))
    #expect(wet.devices.map { $0["mapped_blocks"]?.integer } == [168, isDropped ? 164 : 169, 120])
    for device in wet.devices {
      let isSnapshot = device["device"]?.integer == 1
      for (field, numbers) in [
        ("overwritten", [0, 0, 65536, 160, 163, 4 * 65536]),
        ("may_be_overwritten", [164, 259, 96 * 65536]),
      ] {
        let found = (device[field]?.elements ?? []).flatMap { range in
          ["first", "last", "bytes"].map { range[$0]?.integer }
        }
        #expect(found == (isSnapshot ? numbers : []))
      }
    }
    #expect(wet.summary.contains { $0.contains("2 of 3 devices are whole") })
    #expect(wet.summary.contains { $0.contains("Device 1: the data of virtual block 0 ") })
    #expect(wet.summary.contains { $0.contains("are left out") } == isDropped)
    #expect(
      wet.summary.contains { $0.contains("'thin_repair --drop-overwritten' leaves") } != isDropped)
    #expect(try Program.check(output).status == 0)
    let pool = PoolText(try Program.dump(output).output)
    let mapped = Set(pool.devices[1]?.mappings.map(\.virtual) ?? [])
    #expect(mapped.contains(164))
    #expect(mapped.isDisjoint(with: [0, 160, 161, 162, 163]) == isDropped)
  }

  @Test func `what is lost is told in blocks, bytes and places`() throws {
    let image = try scratch.withoutFirstLeaf("resized")
    let run = try RepairRun(["--dry-run", "-i", image], report: report)
    let device = try #require(run.devices.first)
    let range = try #require(device["lost"]?.elements.first)
    let (first, last) = (range["first"]?.integer ?? -1, range["last"]?.integer ?? -1)
    let sectors = run.document["pool"]?["data_block_sectors"]?.integer ?? 0
    #expect(first == 0)
    #expect(range["bytes"]?.integer == (last - first + 1) * sectors * 512)
    let missing =
      (device["mapped_blocks_before"]?.integer ?? 0) - (device["mapped_blocks"]?.integer ?? 0)
    #expect(missing > 0)
    // No other device shares them.
    #expect(run.document["unmapped_data"]?["blocks"]?.integer == missing)
    #expect(run.document["unmapped_data"]?["complete"] == .boolean(true))
    #expect(run.damagedBlocks.count == 1)
    #expect(run.damagedBlocks.first?["look"]?.string == "zeroed")
    #expect(run.damagedBlocks.first?["structure"]?.string == "mapping tree")
  }

  @Test func `mappings of lost leaves are counted by how sure they are`() throws {
    let image = try scratch.withoutFirstLeaf("resized")
    let plain = try RepairRun(["--dry-run", "-i", image], report: report)
    let all = try RepairRun(["--dry-run", "-i", image, "--accept", "guessed"], report: report)
    for provenance in ["likely", "guessed"] {
      #expect(plain.count("left_out", provenance) == all.count("kept", provenance))
      #expect(plain.count("kept", provenance) == 0)
    }
    #expect(plain.count("left_out", "likely") + plain.count("left_out", "guessed") > 0)
    #expect(plain.shell.errorText.contains("('--accept "))
    #expect(!all.shell.errorText.contains("('--accept "))
    let runs = plain.devices.flatMap { $0["from_lost_leaves"]?.elements ?? [] }
    #expect(runs.allSatisfy { $0["accepted"] == .boolean(false) })
  }

  @Test(arguments: [
    ("zeroed", Data(count: 4096)), ("foreign", Data(repeating: 0x55, count: 4096)),
  ])
  func `a damaged block is told by its look`(look: String, bytes: Data) throws {
    let image = try scratch.copy("snapshots")
    let root = try Metadata.deviceRoots(of: image)[0]
    try overwrite(root, of: image, with: bytes)
    let run = try RepairRun(["--dry-run", "-i", image], report: report)
    #expect(run.damagedBlocks.map { $0["block"]?.integer } == [root])
    #expect(run.damagedBlocks.map { $0["look"]?.string } == [look])
  }

  @Test func `torn, misplaced and flipped blocks are told apart`() throws {
    let image = try scratch.copy("snapshots")
    let roots = try Metadata.deviceRoots(of: image)
    let bytes = try Images.bytes(image)
    func block(_ number: Int) -> Data { bytes[number * 4096..<(number + 1) * 4096] }
    let root = roots[0]
    let other = try #require(roots.first { $0 != root })
    var flipped = Data(block(root))
    flipped[100] ^= 4
    let cases = [
      ("torn", Data(block(root).prefix(512) + Data(repeating: 7, count: 3584)), nil),
      ("misplaced", Data(block(other)), other), ("flipped_bit", flipped, nil),
    ]
    for (look, contents, source) in cases {
      try overwrite(root, of: image, with: contents)
      let run = try RepairRun(["--dry-run", "-i", image], report: report)
      #expect(run.damagedBlocks.map { $0["look"]?.string } == [look])
      #expect(run.damagedBlocks.first?["copy_of"]?.integer == source)
    }
  }

  @Test func `damage to the space maps is told, and costs nothing`() throws {
    let image = try scratch.copy("thins")
    let bytes = try Images.bytes(image)
    // The root of the data space map: the index tree's block stands at byte 80.
    let index = Int(
      bytes[80..<88].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) })
    try zero(block: index, of: image)
    let run = try RepairRun(["--dry-run", "-i", image], report: report)
    #expect(run.damagedBlocks.map { $0["block"]?.integer } == [index])
    #expect(run.damagedBlocks.first?["structure"]?.string?.contains("data space map") == true)
    #expect(run.document["unmapped_data"]?["complete"] == .boolean(false))
    #expect(run.devices.allSatisfy { $0["lost"]?.elements.isEmpty == true })
  }

  @Test func `a lost superblock is told`() throws {
    let image = try scratch.copy("snapshots")
    try zero(block: 0, of: image)
    let run = try RepairRun(
      ["--dry-run", "-i", image, "--data-block-size", "128"], report: report)
    #expect(run.shell.status == 0)
    #expect(run.document["lost_superblock"]?["doubtful"] == .boolean(false))
    let without = try RepairRun(["--dry-run", "-i", image], report: report)
    #expect(without.shell.status == 1)
    #expect(without.document["failure"]?.string?.contains("--data-block-size") == true)
    #expect(without.devices.isEmpty)
  }

  @Test(arguments: [(66, "missing"), (65, "zeroes"), (73, "small")])
  func `what can't be repaired has a report too`(status: Int, how: String) throws {
    let image = try Images.path("thins")
    let zeroes = try scratch.blank("zeroes", bytes: 1 << 20)
    let small = try scratch.blank("small", bytes: 8192)
    let arguments =
      switch how {
      case "missing": ["--dry-run", "-i", scratch.folder.path + "/missing"]
      case "zeroes": ["--dry-run", "-i", zeroes]
      default: ["-i", image, "-o", small]
      }
    let run = try RepairRun(arguments, report: report)
    #expect(Int(run.shell.status) == status)
    #expect(run.shell.errorText == "thin_repair: \(run.document["failure"]?.string ?? "")\n")
  }

  @Test func `the report never overwrites what is repaired`() throws {
    let image = try scratch.copy("thins")
    let output = try scratch.blank("output", bytes: 4 << 20)
    let before = try Images.bytes(image)
    for path in [image, output] {
      let result = try Program.run("thin_repair", ["-i", image, "-o", output, "--report", path])
      #expect(result.status == 73)
      #expect(result.errorText.contains("the report would overwrite '\(path)'"))
    }
    #expect(try Images.bytes(image) == before)
  }

  @Test(arguments: [["-i", "x"], ["-i", "x", "-o", "y", "--dry-run"], ["--accept", "all"]])
  func `an output or a dry run, not both`(arguments: [String]) throws {
    #expect(try Program.run("thin_repair", arguments).status == 64)
  }

  private func overwrite(_ block: Int, of image: String, with contents: Data) throws {
    var bytes = try Images.bytes(image)
    bytes.replaceSubrange(block * 4096..<(block + 1) * 4096, with: contents)
    try bytes.write(to: URL(fileURLWithPath: image))
  }
}
