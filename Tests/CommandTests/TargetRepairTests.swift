import Foundation
import TestSupport
import Testing

/// cache_repair and era_repair from the outside.
@Suite struct TargetRepairTests {
  struct Target: CustomTestStringConvertible, Sendable {
    let tool: String
    let image: String
    /// What a lost superblock has to be made up for with.
    let needed: [String]
    var testDescription: String { "\(tool) \(image)" }

    static let all = [
      Target(
        tool: "cache_repair", image: "cache/cache-v2", needed: ["--data-block-size", "128"]),
      Target(
        tool: "era_repair", image: "era/era-crash",
        needed: ["--data-block-size", "128", "--current-era", "4"]),
      // Arrays of more blocks than one node leads to; several writesets.
      Target(
        tool: "cache_repair", image: "cache/cache-large", needed: ["--data-block-size", "64"]),
      Target(
        tool: "era_repair", image: "era/era-undigested",
        // Its writesets tell the era.
        needed: ["--data-block-size", "128"]),
    ]
  }

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func image(_ target: Target, withoutSuperblock: Bool = false) throws -> String {
    var bytes = try TestFiles.image(target.image)
    if withoutSuperblock { bytes.replaceSubrange(0..<4096, with: Data(count: 4096)) }
    return try scratch.file("image", bytes)
  }

  private func report(_ target: Target) throws -> JSONValue {
    let document = try JSONValue(parsing: Images.bytes(scratch.folder.path + "/report"))
    let schema = TestFiles.root.appendingPathComponent("man/\(target.tool).schema.json").path
    #expect(try SchemaValidator(schemaFile: schema).faults(in: document) == [])
    return document
  }

  @Test(arguments: Target.all)
  func `a repair writes what a dry run says, and reports it`(target: Target) throws {
    let input = try image(target)
    let before = try Images.bytes(input)
    let options = ["-i", input, "--report", scratch.folder.path + "/report"]
    let dry = try Program.run(target.tool, options + ["--dry-run"])
    #expect(dry.status == 0)
    let needed = try #require(report(target)["needed_metadata_blocks"]?.integer)
    let output = try scratch.blank("output", bytes: Int(needed) * 4096)
    let wet = try Program.run(target.tool, options + ["-o", output, ""])
    #expect(wet.status == 0, "\(wet.errorText)")
    #expect(dry.errorText.hasSuffix(wet.errorText))
    #expect(try report(target)["whole"] == .boolean(true))
    #expect(try Images.bytes(input) == before)

    let small = try scratch.blank("small", bytes: (Int(needed) - 1) * 4096)
    let refused = try Program.run(target.tool, ["-i", input, "-o", small])
    #expect(refused.status == 73)
    #expect(refused.errorText.contains("about \(needed) blocks of 4 KiB are needed"))
    #expect(refused.errorText.contains("it has \(needed - 1);"))
    #expect(try Images.bytes(small).allSatisfy { $0 == 0 })
  }

  @Test(arguments: Target.all)
  func `the input is no output`(target: Target) throws {
    let input = try image(target)
    let before = try Images.bytes(input)
    let result = try Program.run(target.tool, ["-i", input, "-o", input])
    #expect(result.status == 73)
    #expect(try Images.bytes(input) == before)
  }

  @Test(arguments: Target.all)
  func `what only a lost superblock knew is asked for`(target: Target) throws {
    let input = try image(target, withoutSuperblock: true)
    let output = try scratch.blank("output", bytes: 8 << 20)
    let arguments = ["-i", input, "-o", output, "--report", scratch.folder.path + "/report"]
    let refused = try Program.run(target.tool, arguments)
    #expect(refused.status == 65)
    for option in target.needed where option.hasPrefix("--") {
      #expect(refused.errorText.contains(option))
    }
    #expect(try report(target)["failure"] != nil)
    #expect(try Images.bytes(output).allSatisfy { $0 == 0 })
    let result = try Program.run(target.tool, arguments + target.needed)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.errorText.contains("The superblock is lost"))
    _ = try report(target)
  }

  @Test(arguments: Target.all)
  func `another target's metadata is refused`(target: Target) throws {
    let output = try scratch.blank("output", bytes: 8 << 20)
    let family = target.image.prefix { $0 != "/" }
    for other in Target.all.map(\.image) + ["thin/snapshots"] where !other.hasPrefix(family) {
      let input = try scratch.file("other", TestFiles.image(other))
      let result = try Program.run(
        target.tool, ["-i", input, "-o", output] + target.needed)
      #expect(result.status == 65, "\(other)")
      #expect(try Images.bytes(output).allSatisfy { $0 == 0 })
    }
  }
}
