import Foundation
import TestSupport
import Testing

/// The tools for the metadata of caches, on what kernels made.
@Suite struct CacheToolTests {
  private static let names = TestFiles.fixtureNames("kernel/cache")
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func image(_ name: String) throws -> String {
    try scratch.file(name, TestFiles.image("cache/\(name)"))
  }

  private func restored(_ xml: Data, _ options: [String] = []) throws -> String {
    let output = try scratch.blank("restored-\(UUID().uuidString)", bytes: 4 << 20)
    let result = try Program.run(
      "cache_restore", ["-i", scratch.file("xml", xml), "-o", output] + options)
    try #require(result.status == 0, "\(result.errorText)")
    return output
  }

  /// A dump without the width of hints where there are none: what is restored then has none, too.
  private func comparable(_ dump: String) -> String {
    dump.contains("<hint ") ? dump : dump.replacing(#/ hint_width="\d+"/#, with: "")
  }

  @Test(arguments: names)
  func `a check says in JSON what it says in text`(name: String) throws {
    let image = try image(name)
    let schema = try SchemaValidator(schemaFile: TestFiles.schema("cache_check"))
    let json = try Program.run("cache_check", ["--format", "json", image])
    #expect(json.status == 0)
    #expect(schema.faults(in: json.output) == [])
    #expect(json.text.contains("\"verdict\": \"sound\""))
    // Somebody has to act on this one, and on no other.
    let errors = try Program.run("cache_check", [image]).errorText
    #expect(errors.isEmpty != (name == "cache-needs-check"), "\(errors)")
  }

  @Test(arguments: names, ["1", "2"])
  func `a dump comes back, and old tools find it sound`(name: String, version: String) throws {
    let xml = try Program.run("cache_dump", [image(name)])
    #expect(xml.status == 0)
    let restored = try restored(xml.output, ["--metadata-version", version])
    #expect(
      try comparable(Program.run("cache_dump", [restored]).text) == comparable(xml.text))
    #expect(try Program.run("cache_check", [restored]).status == 0)
    if Peer.new.isThere { #expect(try Peer.new.run("cache_check", restored).status == 0) }
  }

  @Test(.enabled(if: Peer.new.isThere, Peer.new.absence), arguments: ["cache-v1", "cache-v2"])
  func `of a cache that was closed in order an old tool says the same mappings`(
    name: String
  ) throws {
    let image = try image(name)
    func mappings(_ text: String) -> [String] {
      text.split(separator: "\n").filter { $0.contains("<mapping ") }.map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
    let ours = mappings(try Program.run("cache_dump", [image]).text)
    #expect(!ours.isEmpty)
    #expect(ours == mappings(try Peer.new.run("cache_dump", image).text))
  }

  @Test func `without the clean flag every block is dirty`() throws {
    let image = try image("cache-v2")
    let restored = try restored(
      try Program.run("cache_dump", [image]).output, ["--omit-clean-shutdown"])
    let text = try Program.run("cache_dump", [restored]).text
    #expect(text.contains("dirty=\"true\""))
    #expect(!text.contains("dirty=\"false\""))
    #expect(!text.contains("<hint "))
  }

  @Test func `needs_check is cleared after a full check, and comes back`() throws {
    let image = try image("cache-v2")
    var bytes = try Images.bytes(image)
    bytes[4] |= 2
    try bytes.write(to: URL(fileURLWithPath: image))
    // The checksum doesn't fit any more: nothing is cleared.
    #expect(try Program.run("cache_check", ["--clear-needs-check-flag", image]).status == 1)
    #expect(try Images.bytes(image) == bytes)
    try EditableImage.sealSuperblock(of: image, as: .cacheSuperblock)
    let flagged = try Images.bytes(image)
    let told = try Program.run("cache_check", [image])
    #expect(told.status == 0)
    #expect(told.errorText.contains("needs_check"))
    let undo = scratch.folder.appendingPathComponent("undo").path
    let options = ["--clear-needs-check-flag", "--skip-hints", "--undo-file", undo]
    #expect(try Program.run("cache_check", options + [image]).status == 0)
    #expect(try Images.bytes(image)[4] & 2 == 0)
    #expect(try Program.run("cache_check", [image]).errors.isEmpty)
    #expect(try Program.run("cache_check", ["--undo", undo, image]).status == 0)
    #expect(try Images.bytes(image) == flagged)
  }

  @Test func `an output that is too small is left alone`() throws {
    let xml = try scratch.file(
      "large.xml",
      Data(
        """
        <superblock uuid="" block_size="128" nr_cache_blocks="10000000" policy="smq" hint_width="4">
        <mappings></mappings></superblock>
        """.utf8))
    let bytes = Data(repeating: 0xA5, count: 4 << 20)
    let output = try scratch.file("small", bytes)
    let result = try Program.run("cache_restore", ["-i", xml, "-o", output])
    #expect(result.status == 73)
    #expect(result.errorText.contains("it has 1024"))
    #expect(try Images.bytes(output) == bytes)
  }

  @Test(arguments: [
    (["--nr-blocks", "1024"], "8248 sectors\n"),
    (["--nr-blocks", "1"], "8192.05 sectors\n"),
    (["--device-size", "1t", "--block-size", "64k", "-u", "m"], "452 mebibytes\n"),
    (["--nr-blocks", "1000", "--max-hint-width", "0"], "8238.88 sectors\n"),
    (["--device-size", "1000001s", "--block-size", "64k", "-n", "-u", "b"], "4413068\n"),
    (["--nr-blocks", "18446744073709551615", "-n"], "33292800\n"),
  ])
  func `a size is what old tools say, and no more than kernels use`(
    options: [String], answer: String
  ) throws {
    #expect(try Program.run("cache_metadata_size", options).text == answer)
  }

  @Test(arguments: [
    [], ["--device-size", "1g"], ["--block-size", "64k"],
    ["--nr-blocks", "5", "--block-size", "64k"],
    ["--device-size", "1g", "--block-size", "33k"],
  ])
  func `a size needs the cache's size, said once`(options: [String]) throws {
    #expect(try Program.run("cache_metadata_size", options).status == 64)
  }
}
