import Foundation
import TestSupport
import Testing

/// thin_check that mends in place: --auto-repair and --clear-needs-check-flag.
@Suite struct ThinCheckMendTests {
  private static let mending = ["--auto-repair", "--clear-needs-check-flag"]
  private static let leaking = ["crash-writes", "discard-crash", "discard-leak", "metadata-full"]

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test(arguments: leaking, mending)
  func `leaks are given back, and the mappings stay`(name: String, option: String) throws {
    let image = try scratch.copy(name)
    let before = try Program.dump("--compat", "0.9", image)
    #expect(try Program.check(image).status == 1)
    let mended = try Program.check(option, image)
    #expect(mended.status == 0)
    #expect(mended.errorText.contains("' is mended; a check finds nothing wrong any more.\n"))
    let after = try Program.check(image)
    #expect(after.status == 0)
    #expect(after.complaints == [])
    #expect(try Program.dump("--compat", "0.9", image).output == before.output)
    #expect(try Peer.complaining(about: image) == [])
  }

  @Test(arguments: mending)
  func `a needs_check flag is cleared, and nothing else changes`(option: String) throws {
    let image = try scratch.copy("needs-check")
    let before = try Images.bytes(image)
    #expect(try Program.dump(image).text.contains(" flags=\"1\" "))
    let mended = try Program.check(option, image)
    #expect(mended.status == 0)
    #expect(mended.errorText.contains("is mended; a check finds nothing"))
    #expect(differingBlocks(before, try Images.bytes(image)) == [0])
    #expect(!(try Program.dump(image).text.contains("flags=")))
    let after = try Program.check(image)
    #expect(after.status == 0)
    #expect(after.errorText == "")
    #expect(try Peer.complaining(about: image) == [])
  }

  @Test(arguments: mending)
  func `a sound pool is not written to`(option: String) throws {
    let image = try scratch.copy("snapshots")
    let before = try Images.bytes(image)
    let result = try Program.check(option, image)
    #expect(result.status == 0)
    #expect(result.errorText == "")
    #expect(try Images.bytes(image) == before)
  }

  @Test func `LVM's command line mends without a word`() throws {
    for name in ["needs-check", "discard-leak", "thins"] {
      let image = try scratch.copy(name)
      let result = try Program.check("-q", "--clear-needs-check-flag", image)
      #expect(result.status == 0)
      #expect(result.output.isEmpty && result.errors.isEmpty)
      #expect(try Program.check(image).complaints == [])
    }
  }

  @Test(
    arguments: mending,
    ["leaf-bit", "superblock-bit", "data-count-low", "metadata-count-low", "mapped-count"])
  func `damage is never mended in place`(option: String, how: String) throws {
    // Both of these hold something that would be mended if they were sound.
    for name in ["discard-leak", "needs-check"] {
      let image = try scratch.broken(name, how)
      let before = try Images.bytes(image)
      let result = try Program.check(option, image)
      #expect(result.status == 1, "\(name)")
      #expect(!result.errorText.contains("Mended"))
      #expect(try Images.bytes(image) == before, "\(name)")
    }
  }

  @Test(arguments: [["--super-block-only"], ["--skip-mappings"]])
  func `a flag is only cleared after a full check`(less: [String]) throws {
    let damaged = try scratch.broken("needs-check", "leaf-bit")
    let before = try Images.bytes(damaged)
    let options = ["--clear-needs-check-flag"] + less
    #expect(try Program.run("thin_check", options + [damaged]).status == 1)
    #expect(try Images.bytes(damaged) == before)

    let sound = try scratch.copy("needs-check")
    #expect(try Program.run("thin_check", options + [sound]).status == 0)
    #expect(!(try Program.dump(sound).text.contains("flags=")))
  }

  @Test(arguments: mending)
  func `what is no metadata is not written to`(option: String) throws {
    let zeroes = try scratch.blank("zeroes", bytes: 1 << 20)
    #expect(try Program.check(option, zeroes).status == 65)
    #expect(try Images.bytes(zeroes) == Data(count: 1 << 20))
    #expect(try Program.check(option, scratch.folder.path + "/nothing").status == 66)
  }
}
