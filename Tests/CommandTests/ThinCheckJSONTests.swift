import Foundation
import TestSupport
import Testing

/// thin_check --format json: one document, whatever happens.
@Suite struct ThinCheckJSONTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test(arguments: Images.names)
  func `a document says of a fixture what the text says`(name: String) throws {
    let image = try Images.path(name)
    let run = try CheckRun([image])
    run.expectAgreement(with: try Program.check(image))
    #expect(run.document["input"]?.string == image)
    #expect(run.document["complete"] == .boolean(true))
    #expect(run.leftOut == 0)
  }

  @Test func `a document is laid out as the manual shows it`() throws {
    let run = try CheckRun([try Images.path("discard-leak")])
    #expect(run.shell.text.hasPrefix("{\n  \"tool\": \"thin_check\",\n  \"version\": 1,\n"))
    #expect(run.shell.text.hasSuffix("\n}\n"))
    #expect(run.verdict == "leaking")
    #expect(run.findings.first?["range"]?["unit"]?.string == "data_block")
  }

  @Test(arguments: [
    ["--super-block-only"], ["--skip-mappings"], ["-m"], ["--override-mapping-root"],
  ])
  func `a check of less says that it was not complete`(options: [String]) throws {
    let image = try Images.path("metadata-snapshot")
    let root =
      options == ["--override-mapping-root"] ? ["\(try Metadata.roots(of: image).mapping)"] : []
    let run = try CheckRun(options + root + [image])
    #expect(run.document["complete"] == .boolean(false))
    #expect(run.document["overwritten_data"] == nil)
    #expect(run.document["overwritten_data_complete"] == nil)
    run.expectAgreement(with: try Program.run("thin_check", options + root + [image]))
  }

  @Test func `lost ranges are told by device`() throws {
    let image = try scratch.withoutFirstLeaf("snapshots")
    let run = try CheckRun([image])
    #expect(run.verdict == "damaged")
    let affected = run.document["affected_devices"]?.elements ?? []
    #expect(!affected.isEmpty)
    #expect(affected.allSatisfy { $0["lost"]?.elements.first?["first"]?.integer == 0 })
  }

  @Test func `overwritten data is told by device, in ranges and bytes, and in words`() throws {
    let image = try scratch.file("image", TestFiles.image("thin-faulty/two-owners"))
    let run = try CheckRun([image])
    run.expectAgreement(with: try Program.check(image))
    #expect(run.verdict == "damaged")
    #expect(run.document["overwritten_data_complete"] == .boolean(true))
    let devices = run.document["overwritten_data"]?.elements ?? []
    #expect(devices.map { $0["device"]?.integer } == [1])
    for (field, numbers) in [
      ("overwritten", [0, 0, 65536, 160, 163, 4 * 65536]),
      ("may_be_overwritten", [164, 259, 96 * 65536]),
    ] {
      let ranges = devices[0][field]?.elements ?? []
      let found = ranges.flatMap { range in
        ["first", "last", "bytes"].map { range[$0]?.integer }
      }
      #expect(found == numbers)
    }
    let words = run.advice.filter { $0.contains("overwritten") }
    #expect(
      words.first
        == "Device 1: the data of virtual block 0 (64 KiB), virtual blocks 160..163 (256 KiB) "
        + "has been overwritten; the data of virtual blocks 164..259 (6144 KiB) may have been "
        + "overwritten.")
    #expect(run.advice.contains { $0.contains("CVE-2026-46107") && $0.contains("6.1.175") })
  }

  @Test(arguments: Images.names)
  func `no fixture that is sound, or leaks, has overwritten data`(name: String) throws {
    let run = try CheckRun([try Images.path(name)])
    #expect(run.document["overwritten_data"]?.elements.isEmpty == true)
    #expect(!run.advice.contains { $0.contains("overwritten") })
  }

  @Test func `what was mended is told, with what had been found`() throws {
    let image = try scratch.copy("discard-leak")
    let first = try CheckRun(["--auto-repair", image])
    #expect(first.verdict == "sound")
    #expect(first.document["mended"] == .boolean(true))
    #expect(first.document["counts"]?["leak"]?.integer == 300)
    let second = try CheckRun(["--auto-repair", image])
    #expect(second.document["mended"] == .boolean(false))
    #expect(second.findings.isEmpty && second.advice.count == 1)
  }

  @Test func `leaks that may pass are leaks all the same`() throws {
    let run = try CheckRun(["--ignore-non-fatal-errors", try Images.path("discard-leak")])
    #expect(run.exitStatus == 0)
    #expect(run.verdict == "leaking")
  }

  @Test(arguments: [
    (65, "not_metadata", ""), (65, "not_metadata", "tiny"), (65, "not_metadata", "zeroes"),
    (65, "not_metadata", "XML"), (65, "not_metadata", "folder"), (66, "failed", "missing"),
  ])
  func `what can't be checked has a document too`(
    status: Int, verdict: String, kind: String
  ) throws {
    let path =
      switch kind {
      case "tiny": try scratch.file("tiny", Data("x".utf8))
      case "zeroes": try scratch.blank("zeroes", bytes: 1 << 20)
      case "XML":
        try scratch.file("pool.xml", Program.dump(Images.path("power-cut")).output)
      case "folder": scratch.folder.path
      case "missing": scratch.folder.path + "/missing"
      default: try scratch.file("empty")
      }
    let run = try CheckRun([path])
    #expect(run.exitStatus == status)
    #expect(run.verdict == verdict)
    let text = try Program.check(path)
    #expect(text.errorText == "thin_check: \(run.failure ?? "")\n")
    #expect(run.document["findings"] == nil)
  }

  @Test func `without a metadata snapshot there is a document that says so`() throws {
    let run = try CheckRun(["-m", try Images.path("thins")])
    #expect(run.exitStatus == 66)
    #expect(run.failure?.contains("has no metadata snapshot") == true)
  }

  @Test(arguments: [
    #"a "quoted" \name"#, "line\nbreak\ttab\u{1}\u{7F}", "größe \u{2028} \u{1F4BE}",
  ])
  func `a path comes back as it was given`(name: String) throws {
    let path = try scratch.file(name, Images.bytes(Images.path("fresh")))
    let run = try CheckRun([path])
    #expect(run.exitStatus == 0)
    #expect(run.document["input"]?.string == path)
  }

  @Test func `a path that is no UTF-8 is told as well as can be`() throws {
    let shell = try Program.script(#"exec $dmmeta thin_check --format json $'/no/\xff\xc3where'"#)
    let run = try CheckRun(shell)
    #expect(run.exitStatus == 66)
    #expect(run.document["input"]?.string == "/no/\u{FFFD}\u{FFFD}where")
  }

  @Test func `a document that can't be written is an I-O error`() throws {
    let result = try Program.script(
      #"exec $dmmeta thin_check --format json "$1" >/dev/full"#, Images.path("fresh"))
    #expect(result.status == 74)
    #expect(result.errorText.contains("writing to standard output failed"))
  }

  @Test func `the status tells even where nobody reads`() throws {
    let result = try Program.script(
      #"$dmmeta thin_check --format json "$1" | true; exit ${PIPESTATUS[0]}"#,
      Images.path("discard-leak"))
    #expect(result.status == 1)
  }

  @Test(arguments: [["--format", "json", "-q"], ["-fjson", "--quiet"], ["--format", "yaml"]])
  func `a format that makes no sense is a usage error`(options: [String]) throws {
    let result = try Program.run("thin_check", options + [try Images.path("fresh")])
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
    #expect(result.errorText.hasPrefix("Error: "))
  }

  @Test func `text is what is printed unless told otherwise`() throws {
    let image = try Images.path("discard-leak")
    let plain = try Program.check(image)
    for options in [["--format", "text"], ["-f", "text"], ["-ftext"]] {
      let result = try Program.run("thin_check", options + [image])
      #expect(result.output == plain.output)
      #expect(result.errors == plain.errors)
    }
  }
}
