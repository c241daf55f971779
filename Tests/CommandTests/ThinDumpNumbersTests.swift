import Foundation
import TestSupport
import Testing

/// thin_dump of pools whose two lists of devices differ, and with numbers that a person knows
/// better.
@Suite struct ThinDumpNumbersTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A copy of a fixture of which one of the two lists lacks its last device.
  private func shortened(_ name: String, _ list: WritableKeyPath<Lists, Int>) throws -> String {
    let path = try scratch.copy(name)
    let roots = try Metadata.roots(of: path)
    try Metadata.dropLastEntry(
      of: Lists(mapping: roots.mapping, details: roots.details)[keyPath: list], in: path)
    return path
  }

  private struct Lists {
    var mapping: Int
    var details: Int
  }

  @Test(arguments: ["snapshots", "thins", "reuse-same-leaf"])
  func `a device that only one list has is an error, and is named`(name: String) throws {
    let devices = try PoolText(Program.dump(Images.path(name)).output).devices.keys
    let last = try #require(devices.max())
    for (list, fault) in [
      (\Lists.mapping, "details but no entry in the mapping tree"),
      (\Lists.details, "mappings but no entry in the details tree"),
    ] as [(WritableKeyPath<Lists, Int>, String)] {
      let image = try shortened(name, list)
      for form in ["xml", "human_readable"] {
        let result = try Program.dump("-f", form, image)
        #expect(result.status == 1)
        #expect(result.output.isEmpty)
        #expect(result.errorText.contains("device \(last): the device has \(fault)"))
      }
    }
  }

  @Test func `numbers given are minima, the block size is taken, and what is refused is said`()
    throws
  {
    let image = try Images.path("snapshots")
    let plain = PoolText(try Program.dump(image).output)
    for (options, attribute, value, complaint) in [
      (["--transaction-id", "1000"], "transaction", "1000", ""),
      (["--nr-data-blocks", "70000"], "nr_data_blocks", "70000", ""),
      (["--data-block-size", "256"], "data_block_size", "256", ""),
      (
        ["--transaction-id", "1"], "transaction", "42",
        "The pool's transaction id stays 42: it is higher than the 1 that was asked for, and is "
          + "never lowered.\n"
      ),
      (
        ["--nr-data-blocks", "7"], "nr_data_blocks", "65536",
        "The pool has 65536 data blocks, more than the 7 that were asked for; their number is "
          + "never lowered.\n"
      ),
    ] {
      let result = try Program.run("thin_dump", options + [image])
      #expect(result.status == 0)
      let dumped = PoolText(result.output)
      #expect(dumped.pool[attribute] == value)
      #expect(dumped.devices == plain.devices)
      #expect(result.errorText == complaint)
    }
  }

  @Test func `a block size that no pool has is a usage error`() throws {
    for size in ["0", "100", "4194304"] {
      let result = try Program.dump("--data-block-size", size, Images.path("snapshots"))
      #expect(result.status == 64)
      #expect(result.output.isEmpty)
    }
  }

  @Test func `with --repair more is accepted, as thin_repair does; without it can't be`() throws {
    let image = try scratch.withoutFirstLeaf("resized")
    let counts = try ["proven", "likely", "guessed"].map { accept in
      let result = try Program.dump("--repair", "--accept", accept, image)
      #expect(result.status == 0)
      let output = try scratch.blank("\(accept).img", bytes: 4 << 20)
      let repair = try Program.run(
        "thin_repair", ["-i", image, "-o", output, "--accept", accept])
      #expect(repair.status == 0)
      let dumped = PoolText(result.output)
      #expect(dumped == PoolText(try Program.dump(output).output))
      return dumped.mappingCount
    }
    #expect(counts[0] < counts[1] && counts[1] <= counts[2])
    let refused = try Program.dump("--accept", "likely", image)
    #expect(refused.status == 64)
    #expect(refused.output.isEmpty)
  }
}
