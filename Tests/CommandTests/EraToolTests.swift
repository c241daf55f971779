import Foundation
import TestSupport
import Testing

/// The tools for the metadata of era devices, on what kernels made.
@Suite struct EraToolTests {
  private static let names = TestFiles.fixtureNames("kernel/era")
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func image(_ name: String) throws -> String {
    try scratch.file(name, TestFiles.image("era/\(name)"))
  }

  private func restored(_ xml: Data) throws -> String {
    let output = try scratch.blank("restored", bytes: 16 << 20)
    let result = try Program.run("era_restore", ["-i", scratch.file("xml", xml), "-o", output])
    try #require(result.status == 0, "\(result.errorText)")
    return output
  }

  private func listed(_ image: String, since era: Int, _ options: [String] = []) throws -> String {
    let result = try Program.run(
      "era_invalidate", ["--written-since", "\(era)"] + options + [image])
    try #require(result.status == 0, "\(result.errorText)")
    return result.text
  }

  @Test(arguments: names)
  func `a check says in JSON what it says in text`(name: String) throws {
    let image = try image(name)
    let schema = try SchemaValidator(schemaFile: TestFiles.schema("era_check"))
    let json = try Program.run("era_check", ["--format", "json", image])
    #expect(json.status == 0)
    #expect(schema.faults(in: json.output) == [])
    #expect(json.text.contains("\"verdict\": \"sound\""))
    #expect(try Program.run("era_check", [image]).errors.isEmpty)
  }

  @Test(arguments: names)
  func `a dump comes back, and old tools find it sound`(name: String) throws {
    let image = try image(name)
    let xml = try Program.run("era_dump", [image])
    #expect(xml.status == 0)
    let restored = try restored(xml.output)
    #expect(try Program.run("era_dump", [restored]).output == xml.output)
    #expect(try Program.run("era_check", [restored]).status == 0)
    for era in [0, 1, 3, 100] {
      #expect(try listed(restored, since: era) == listed(image, since: era))
    }
    guard Peer.new.isThere else { return }
    #expect(try Peer.new.run("era_check", restored).status == 0)
    // All writesets are archived there, so an old tool sees them all.
    for era in [1, 3, 100] {
      let theirs = try Peer.new.run("era_invalidate", "--written-since", "\(era)", restored)
      #expect(
        try listed(restored, since: era) == theirs.text + (theirs.text.hasSuffix("\n") ? "" : "\n"))
    }
  }

  @Test func `after a crash the current writeset counts`() throws {
    let image = try image("era-crash")
    let xml = try Program.run("era_dump", [image]).text
    let era = try #require(
      xml.matches(of: /current_era="(\d+)"/).first.flatMap { Int($0.output.1) })
    #expect(xml.contains("<writeset era=\"\(era)\""))
    #expect(try listed(image, since: era).contains("block"))
  }

  /// Old tools' dumps lack it: what was written in that era would be missed by a backup.
  @Test func `without the current writeset every block counts as written, and that is said`() throws
  {
    let xml = try Program.run("era_dump", [image("era-undigested")]).text
    let start = try #require(xml.range(of: "  <writeset era=\"7\""))
    let end = try #require(xml.range(of: "</writeset>\n", range: start.upperBound..<xml.endIndex))
    let cut = xml.replacingCharacters(in: start.lowerBound..<end.upperBound, with: "")
    let input = try scratch.file("xml", Data(cut.utf8))
    let output = try scratch.blank("restored", bytes: 16 << 20)
    let said = try Program.run("era_restore", ["-i", input, "-o", output])
    #expect(said.status == 0)
    #expect(said.errorText.contains("has no writeset of the current era, 7,"))
    #expect(try Program.run("era_check", [output]).status == 0)
    #expect(try listed(output, since: 7).contains("<range begin=\"0\" end=\"1048576\"/>"))
    #expect(try Program.run("era_restore", ["-q", "-i", input, "-o", output]).errors.isEmpty)
  }

  @Test func `the metadata snapshot is looked at only if there is one`() throws {
    let held = try image("era-snapshot")
    #expect(try listed(held, since: 0, ["--metadata-snapshot"]).hasPrefix("<blocks>\n"))
    #expect(
      try listed(held, since: 0, ["--metadata-snapshot=7"])
        == listed(held, since: 0, ["--metadata-snapshot"]))
    let result = try Program.run(
      "era_invalidate", ["--written-since", "0", "--metadata-snapshot", image("era")])
    #expect(result.status == 66)
  }

  @Test func `nothing is listed where something that counts is damaged`() throws {
    let image = try image("era-undigested")
    let json = try Program.run("era_check", ["--format", "json", image]).text
    #expect(json.contains("sound"))
    let roots = try EditableImage.eraRoots(of: image)
    try EditableImage.clear(block: roots.writesets, of: image)
    let result = try Program.run("era_invalidate", ["--written-since", "1", image])
    #expect(result.status == 1)
    #expect(result.output.isEmpty)
    #expect(try Program.run("era_check", [image]).status == 1)
    #expect(try Program.run("era_dump", [image]).status == 1)
  }
}
