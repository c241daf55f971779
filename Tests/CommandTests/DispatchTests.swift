import Foundation
import TestSupport
import Testing

/// Which tool is run: the name the program was started by, or its first word.
@Suite struct DispatchTests {
  private static let list = """
    dmmeta 2.0.0: keep, understand and rescue the metadata of thin pools, caches, eras.

    usage: dmmeta TOOL [OPTION ...], or a link with the tool's name

    tools:
      cache_check             Check the metadata of a cache.
      cache_dump              Write the metadata of a cache as text.
      cache_generate_metadata Make up metadata of a cache, to test and measure with.
      cache_metadata_size     Say how large a cache's metadata has to be.
      cache_repair            Write new cache metadata from what is left of the old.
      cache_restore           Write the metadata of a cache from XML.
      cache_writeback         Write dirty blocks of a cache to its origin.
      era_check               Check the metadata of an era device.
      era_dump                Write the metadata of an era device as text.
      era_generate_metadata   Make up era metadata, to test and measure with.
      era_invalidate          List blocks that may have been written since an era.
      era_repair              Write new era metadata from what is left of the old.
      era_restore             Write the metadata of an era device from XML.
      thin_check              Check the metadata of a thin pool.
      thin_delta              Tell in which blocks two thin devices differ.
      thin_dump               Write the metadata of a thin pool as text.
      thin_generate_metadata  Make up metadata of a pool, to test and measure with.
      thin_ls                 List devices; tell what deleting some would free.
      thin_metadata_pack      Pack metadata into a small file.
      thin_metadata_size      Say how large a pool's metadata device has to be.
      thin_metadata_unpack    Unpack metadata that thin_metadata_pack has packed.
      thin_repair             Write new metadata from what is left of the old.
      thin_restore            Write the metadata of a thin pool from XML.
      thin_rmap               Tell which devices have some data blocks or bytes.
      thin_roots              List the old states that are left; undelete devices.
      thin_show               Show a pool in one picture: space, sharing, age.
      thin_shrink             Make a thin pool smaller, moving what is in the way.
      thin_trim               Discard the free space of a thin pool's data device.

    'dmmeta help TOOL' or 'man TOOL' tells about a tool.

    """

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// The program under another name.
  private func link(_ name: String) throws -> String {
    let link = scratch.folder.appendingPathComponent(name)
    try FileManager.default.createSymbolicLink(
      at: link, withDestinationURL: URL(fileURLWithPath: Program.path))
    return link.path
  }

  @Test(arguments: Program.tools)
  func `a link with a tool's name is the tool`(tool: String) throws {
    let byLink = try Program.start(link(tool), ["--help"])
    let byWord = try Program.run(tool, ["--help"])
    #expect(byLink.status == 0)
    #expect(byLink.text.contains("USAGE: \(tool) "))
    #expect(byLink.output == byWord.output)
  }

  @Test(arguments: Program.tools)
  func `the old program's name takes the tool as first word`(tool: String) throws {
    let result = try Program.start(link("pdata_tools"), [tool, "--help"])
    #expect(result.status == 0)
    #expect(result.text.contains("USAGE: \(tool) "))
  }

  @Test func `the tools are listed for those who make the links`() throws {
    let result = try Program.start(Program.path, ["--list-tools"])
    #expect(result.status == 0)
    #expect(result.text == ToolSample.all.map(\.tool).map { "\($0)\n" }.joined())
  }

  @Test func `a link found in PATH is the tool`() throws {
    _ = try link("thin_check")
    let result = try Shell.run(
      "/usr/bin/env", ["PATH=\(scratch.folder.path)", "thin_check", try Images.path("fresh")])
    #expect(result.status == 0)
    #expect(result.text == "TRANSACTION_ID=0\nMETADATA_FREE_BLOCKS=1014\n")
  }

  @Test func `a tool run by its link takes another tool's name for its input`() throws {
    let result = try Program.start(link("thin_check"), ["thin_dump"])
    #expect(result.status == 66)
    #expect(result.errorText == "thin_check: there is no file or device 'thin_dump'\n")
  }

  @Test(arguments: ["dmmeta", "pdata_tools", "anything"])
  func `without a word the tools are listed as a usage error`(name: String) throws {
    let result = try Program.start(link(name), [])
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
    #expect(result.errorText == DispatchTests.list)
  }

  @Test(arguments: ["checkup", "--bogus", "", String(repeating: "thin_check", count: 1000)])
  func `an unknown word is a usage error`(word: String) throws {
    let result = try Program.start(Program.path, [word, "fixture"])
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
    #expect(result.errorText == "there is no tool '\(word)'\n\n" + DispatchTests.list)
  }

  @Test(arguments: [
    ("thin_chek", "thin_check"), ("thin-check", "thin_check"), ("THIN_CHECK", "thin_check"),
    ("htin_dump", "thin_dump"), ("thin_reapir", "thin_repair"), ("thin_lss", "thin_ls"),
    ("thin_metadata_unpak", "thin_metadata_unpack"),
  ])
  func `a misspelt tool is told its name`(word: String, tool: String) throws {
    for arguments in [[word, "fixture"], ["help", word]] {
      let result = try Program.start(Program.path, arguments)
      #expect(result.status == 64)
      #expect(result.text.isEmpty)
      #expect(
        result.errorText == """
          there is no tool '\(word)'; did you mean \(tool)?
          'dmmeta --help' lists them all.

          """)
    }
  }

  @Test func `half a tool's name is asked about`() throws {
    let result = try Program.start(Program.path, ["repair", "fixture"])
    #expect(result.status == 64)
    let names = Program.tools.filter { $0.hasSuffix("_repair") }
    #expect(names.allSatisfy(result.errorText.contains))
    #expect(!result.errorText.contains("thin_dump"))
  }

  @Test(arguments: Program.tools)
  func `help of a tool can be asked for by its name`(tool: String) throws {
    let result = try Program.start(Program.path, ["help", tool])
    #expect(result.status == 0)
    #expect(result.output == (try Program.run(tool, ["--help"])).output)
  }

  @Test(arguments: Program.tools)
  func `a tool's help fits a terminal and names its man page and statuses`(tool: String) throws {
    let text = try Program.run(tool, ["--help"]).text
    let lines = text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(text.contains("'man \(tool)' tells more."))
    let statuses = try #require(text.split(separator: "EXIT STATUS: ").last)
    for status in Program.statuses { #expect(" \(statuses)".contains(" \(status) ")) }
    // Placeholders are short words in capitals: FILE, not <input>.
    let usage = lines.drop { !$0.hasPrefix("USAGE: ") }.prefix { !$0.hasSuffix(":") }
    #expect(usage.count < 3)
    #expect(!text.contains("<"))
  }

  @Test func `a tool has a line in the list`() throws {
    let lines = try Program.start(Program.path, ["--help"]).text.split(separator: "\n")
    for tool in Program.tools {
      let line = try #require(lines.first { $0.hasPrefix("  \(tool) ") })
      let overview = try Program.run(tool, ["--help"]).text.split(separator: "\n")[0]
      #expect(
        line.drop { $0 == " " }.drop { $0 != " " }.drop { $0 == " " }
          == overview.dropFirst("OVERVIEW: ".count))
    }
  }

  @Test(arguments: ["-h", "--help", "help"])
  func `the list can be asked for`(word: String) throws {
    let result = try Program.start(Program.path, [word])
    #expect(result.status == 0)
    #expect(result.text == DispatchTests.list)
    #expect(result.errorText.isEmpty)
  }

  @Test(arguments: ["-V", "--version"])
  func `the program's version is a tool's`(word: String) throws {
    let result = try Program.start(Program.path, [word])
    #expect(result.status == 0)
    #expect(try result.text == Program.check("-V").text)
  }
}
