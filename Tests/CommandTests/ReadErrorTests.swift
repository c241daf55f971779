import Foundation
import TestSupport
import Testing

/// What tools make of a disk that can't read some blocks.
@Suite struct ReadErrorTests {
  private let scratch: Scratch
  private let image: String
  private let leaf: Int

  init() throws {
    scratch = try Scratch()
    image = try scratch.copy("snapshots")
    let zeroed = try scratch.withoutFirstLeaf("snapshots")
    leaf = try #require(
      differingBlocks(Images.bytes(image), Images.bytes(zeroed)).first)
  }

  /// Blocks of each kind, the superblock first.
  private var blocks: [Int] {
    get throws {
      let roots = try Metadata.roots(of: image)
      return [0, roots.mapping, roots.details, try Metadata.deviceRoots(of: image)[0], leaf]
    }
  }

  @Test(arguments: ToolSample.all)
  func `a block that can't be read is named by every tool that needs it`(
    sample: ToolSample
  ) throws {
    guard sample.input == "thin.file" else { return }
    for block in try blocks {
      try sample.layOut(in: scratch.folder)
      let path = scratch.folder.appendingPathComponent("thin.file").path
      let words = sample.arguments.map {
        $0.hasSuffix(".file") ? scratch.folder.appendingPathComponent($0).path : $0
      }
      let result = try FailingReads.run(sample.tool, words, blocks: [block], of: path)
      #expect([0, 1, 74].contains(result.status), "block \(block)")
      let isNamed = result.errorText.contains(try Regex("\\bblock \(block)\\b"))
      // Some lists and comparisons don't need every block, and are then as if it could be read.
      let sound = try Program.run(sample.tool, words).text
      let isUnneeded =
        ["thin_delta", "thin_ls"].contains(sample.tool) && result.status == 0
        && result.text == sound
      #expect(isNamed || isUnneeded, "\(sample.tool), block \(block): \(result.errorText)")
    }
  }

  @Test func `repair keeps what can be read`() throws {
    for block in try blocks.dropFirst() {
      // The same block, there and zeroed, costs the same.
      let zeroed = try scratch.file("zeroed", Images.bytes(image))
      try zero(block: block, of: zeroed)
      let one = try scratch.blank("one", bytes: 4 << 20)
      let other = try scratch.blank("other", bytes: 4 << 20)
      #expect(try Program.repair("-i", zeroed, "-o", other).status == 0)
      let result = try FailingReads.run(
        "thin_repair", ["-i", image, "-o", one], blocks: [block], of: image)
      #expect(result.status == 0)
      #expect(try Images.bytes(one) == Images.bytes(other), "block \(block)")
      let dump = try FailingReads.run(
        "thin_dump", ["--repair", image], blocks: [block], of: image)
      #expect(dump.status == 0)
      #expect(try dump.output == Program.dump("--repair", zeroed).output, "block \(block)")
    }
  }

  @Test func `a lost superblock that can't be read is looked for elsewhere`() throws {
    let output = try scratch.blank("output", bytes: 4 << 20)
    let lost = try FailingReads.run(
      "thin_repair", ["-i", image, "-o", output], blocks: [0], of: image)
    #expect(lost.status == 1)
    #expect(
      lost.errorText.hasPrefix(
        "thin_repair: the superblock is lost (can't read block 0 of '\(image)': input/output "
          + "error), and with it the data block size"))
    let found = try FailingReads.run(
      "thin_repair", ["-i", image, "-o", output, "--data-block-size", "128"], blocks: [0],
      of: image)
    #expect(found.status == 0)
    #expect(found.errorText.contains("The superblock is lost (can't read block 0 of"))
    #expect(try Program.check(output).status == 0)
  }

  @Test func `advice copies on past errors`() throws {
    let command = "dd if=\(image) of=COPY bs=4096 conv=noerror,sync    (or ddrescue;"
    let damaged = try FailingReads.run("thin_check", [image], blocks: [leaf], of: image)
    #expect(damaged.status == 1)
    #expect(damaged.errorText.contains("  \(command)"))
    #expect(!damaged.errorText.contains("bs=1M"))
    let stopped = try FailingReads.run("thin_check", [image], blocks: [0], of: image)
    #expect(stopped.status == 74)
    #expect(
      stopped.errorText.hasPrefix(
        "thin_check: can't read block 0 of '\(image)': input/output error. Copy what can be read, "
          + "and go on with the copy:\n  \(command)"))
  }

  @Test func `nothing is mended, or put back, where a block can't be read`() throws {
    let broken = try scratch.broken("snapshots", "data-count-high")
    let before = try Images.bytes(broken)
    let undo = scratch.folder.appendingPathComponent("undo").path
    let mending = try FailingReads.run(
      "thin_check", ["--auto-repair", broken], blocks: [leaf], of: broken)
    #expect(mending.status == 1)
    #expect(try Images.bytes(broken) == before)
    #expect(try Program.check("--auto-repair", "--undo-file", undo, broken).status == 0)
    let after = try Images.bytes(broken)
    for (block, file) in [(0, broken), (1, undo)] {
      let result = try FailingReads.run(
        "thin_check", ["--undo", undo, broken], blocks: [block], of: file)
      #expect(result.status == 74)
      #expect(result.errorText.contains("can't read block \(block) of '\(file)'"))
      #expect(try Images.bytes(broken) == after)
    }
  }
}
