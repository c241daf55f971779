import Foundation
import TestSupport
import Testing

/// Which tool is run: the name the program was started by, or its first word.
@Suite struct DispatchTests {
  private static let list = """
    dmmeta 2.0.0: keep, understand and rescue the metadata of thin pools.

    usage: dmmeta TOOL [OPTION ...], or a link with the tool's name

    tools:
      thin_check
      thin_delta
      thin_dump
      thin_generate_metadata
      thin_ls
      thin_metadata_pack
      thin_metadata_size
      thin_metadata_unpack
      thin_repair
      thin_restore
      thin_rmap
      thin_roots

    'dmmeta TOOL --help' tells about a tool.

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
    #expect(result.text == Program.tools.map { "\($0)\n" }.joined())
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

  @Test(arguments: ["thin_chek", "THIN_CHECK", "--bogus", ""])
  func `an unknown word is a usage error`(word: String) throws {
    let result = try Program.start(Program.path, [word, "fixture"])
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
    #expect(result.errorText == "there is no tool '\(word)'\n\n" + DispatchTests.list)
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
