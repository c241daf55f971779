import Foundation
import TestSupport
import Testing

/// thin_check --undo-file and --undo.
@Suite struct ThinCheckUndoTests {
  private let scratch: Scratch
  private let undo: String

  init() throws {
    scratch = try Scratch()
    undo = scratch.folder.appendingPathComponent("undo").path
  }

  private func exists(_ path: String) -> Bool {
    (try? FileManager.default.attributesOfItem(atPath: path)) != nil
  }

  @Test(
    arguments: ["crash-writes", "discard-crash", "discard-leak", "metadata-full", "needs-check"],
    ["--auto-repair", "--clear-needs-check-flag"])
  func `what was mended is put back to the last byte`(name: String, option: String) throws {
    let image = try scratch.copy(name)
    let before = try Images.bytes(image)
    let mended = try Program.check(option, "--undo-file", undo, image)
    #expect(mended.status == 0)
    #expect(
      mended.errorText.contains(
        "'\(image)' is mended; a check finds nothing wrong any more.\n"
          + "Until the pool is used, this undoes it:\n"
          + "  thin_check --undo \(undo) \(image)\n"))
    #expect(try Images.bytes(image) != before)
    #expect(try Images.bytes(undo).prefix(16) == Data("dmmeta undo file".utf8))
    let first = try Program.check("--undo", undo, image)
    #expect(first.status == 0)
    #expect(first.text.isEmpty)
    #expect(first.errorText == "Put back; '\(image)' is as it was before it was mended.\n")
    #expect(try Images.bytes(image) == before)
    let second = try Program.check("--undo", undo, image)
    #expect(second.status == 0)
    #expect(
      second.errorText == "Nothing to put back: '\(image)' is as it was before it was mended.\n")
    #expect(try Images.bytes(image) == before)
  }

  @Test func `an undo file is only for those who may read the metadata`() throws {
    let image = try scratch.copy("discard-leak")
    #expect(try Program.check("-q", "--auto-repair", "--undo-file", undo, image).status == 0)
    let mode = try FileManager.default.attributesOfItem(atPath: undo)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test(arguments: ["thins", "snapshots"])
  func `where nothing is mended there is nothing to keep`(name: String) throws {
    let image = try scratch.copy(name)
    #expect(try Program.check("--auto-repair", "--undo-file", undo, image).status == 0)
    #expect(!exists(undo))
    let damaged = try scratch.broken("discard-leak", "leaf-bit")
    #expect(try Program.check("--auto-repair", "--undo-file", undo, damaged).status == 1)
    #expect(!exists(undo))
  }

  @Test func `an existing file is no place for an undo file`() throws {
    let image = try scratch.copy("discard-leak")
    let before = try Images.bytes(image)
    let kept = try scratch.file("kept", Data("precious".utf8))
    let link = scratch.folder.appendingPathComponent("link").path
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: scratch.folder.path + "/nowhere")
    for path in [kept, link, image, scratch.folder.path, "/dev/full"] {
      let result = try Program.check("--auto-repair", "--undo-file", path, image)
      #expect(result.status == 73)
      #expect(
        result.errorText == "thin_check: undo file refused: '\(path)' exists already, and may be "
          + "needed. Nothing was mended\n")
    }
    #expect(try Images.bytes(image) == before)
    #expect(try Images.bytes(kept) == Data("precious".utf8))
  }

  @Test func `without an undo file nothing is mended`() throws {
    let image = try scratch.copy("discard-leak")
    let before = try Images.bytes(image)
    let nowhere = scratch.folder.path + "/nowhere/undo"
    let refused = try Program.check("--auto-repair", "--undo-file", nowhere, image)
    #expect(refused.status == 73)
    #expect(
      refused.errorText.hasSuffix(
        "\nthin_check: undo file refused: can't open '\(nowhere)': no such file or directory. "
          + "Nothing was mended\n"))
    #expect(refused.errorText.contains("leak: data space map, data blocks 100..399"))
    // A file that may not grow to its size is a full disk as far as a program can tell.
    let full = try Program.script(
      #"ulimit -f 8; exec $dmmeta thin_check --auto-repair --undo-file "$1" "$2""#, undo, image)
    #expect(full.status == 74)
    #expect(
      full.errorText.hasSuffix(
        "thin_check: writing to '\(undo)' failed: file too large. Nothing was mended\n"))
    #expect(!exists(undo))
    #expect(try Images.bytes(image) == before)
  }

  @Test func `mending that is cut short can be undone, and the superblock comes last`() throws {
    // It changes blocks 178 and 228, then block 0.
    let image = try scratch.copy("discard-crash")
    let before = try Images.bytes(image)
    let cut = try Program.script(
      #"ulimit -f 800; exec $dmmeta thin_check --auto-repair --undo-file "$1" "$2""#, undo, image)
    #expect(cut.status == 74)
    #expect(
      cut.errorText.hasSuffix(
        "thin_check: can't write block 228 of '\(image)': file too large. This puts "
          + "back what was overwritten:\n  thin_check --undo \(undo) \(image)\n"),
      "\(cut.errorText)")
    #expect(differingBlocks(before, try Images.bytes(image)) == [178])
    #expect(try Program.check("--undo", undo, image).status == 0)
    #expect(try Images.bytes(image) == before)
  }

  @Test func `an undo that is cut short is run again, and the superblock comes last`() throws {
    let image = try scratch.copy("discard-crash")
    let before = try Images.bytes(image)
    #expect(try Program.check("-q", "--auto-repair", "--undo-file", undo, image).status == 0)
    let cut = try Program.script(
      #"ulimit -f 800; exec $dmmeta thin_check --undo "$1" "$2""#, undo, image)
    #expect(cut.status == 74)
    #expect(cut.errorText.hasSuffix(". Run the same command again once it can be written\n"))
    #expect(differingBlocks(before, try Images.bytes(image)) == [0, 228])
    #expect(try Program.check("--undo", undo, image).status == 0)
    #expect(try Images.bytes(image) == before)
  }

  @Test func `metadata that was changed since is left alone`() throws {
    let image = try scratch.copy("discard-leak")
    #expect(try Program.check("-q", "--auto-repair", "--undo-file", undo, image).status == 0)
    // What a kernel does with a pool ends in the superblock.
    var bytes = try Images.bytes(image)
    bytes[48] ^= 1
    try bytes.write(to: URL(fileURLWithPath: image))
    let result = try Program.check("--undo", undo, image)
    #expect(result.status == 73)
    #expect(
      result.errorText == "thin_check: block 0 of '\(image)' is neither as it was before the "
        + "mending nor as the mending left it: the metadata has been written since, or this is "
        + "another device. Nothing was put back\n")
    #expect(try Images.bytes(image) == bytes)
  }

  @Test func `another device is left alone`() throws {
    let image = try scratch.copy("discard-leak")
    #expect(try Program.check("-q", "--auto-repair", "--undo-file", undo, image).status == 0)
    let other = try scratch.blank("other", bytes: 5 * 4096)
    let result = try Program.check("--undo", undo, other)
    #expect(result.status == 73)
    #expect(
      result.errorText == "thin_check: the undo file '\(undo)' is for a device of 1024 blocks, but "
        + "'\(other)' has 5. Nothing was put back\n")
    let itself = try Program.check("--undo", undo, undo)
    #expect(itself.status == 73)
    #expect(itself.errorText == "thin_check: '\(undo)' can't be its own undo file\n")
  }

  @Test func `a damaged undo file, or something else, is refused`() throws {
    let image = try scratch.copy("discard-leak")
    #expect(try Program.check("-q", "--auto-repair", "--undo-file", undo, image).status == 0)
    let before = try Images.bytes(image)
    let short = try scratch.file("short", Images.bytes(undo).prefix(3 * 4096))
    let damaged = try Program.check("--undo", short, image)
    #expect(damaged.status == 1)
    #expect(
      damaged.errorText == "thin_check: the undo file '\(short)' is damaged or was cut off, in its "
        + "block 3. Nothing was put back\n")
    for path in [try Images.path("fresh"), try scratch.file("tiny", Data("x".utf8))] {
      let other = try Program.check("--undo", path, image)
      #expect(other.status == 65)
      #expect(other.errorText == "thin_check: '\(path)' is not an undo file\n")
    }
    let missing = try Program.check("--undo", "/nowhere", image)
    #expect(missing.status == 66)
    #expect(missing.errorText == "thin_check: there is no file or device '/nowhere'\n")
    #expect(try Images.bytes(image) == before)
  }

  @Test func `a document tells where to undo from, or why nothing was mended`() throws {
    let image = try scratch.copy("discard-leak")
    let kept = try scratch.file("kept")
    let refused = try CheckRun(["--auto-repair", "--undo-file", kept, image])
    #expect(refused.verdict == "failed")
    #expect(refused.exitStatus == 73)
    #expect(refused.failure?.hasSuffix("Nothing was mended") == true)
    let full = try CheckRun(
      Program.script(
        #"ulimit -f 8; exec $dmmeta thin_check -fjson --auto-repair --undo-file "$1" "$2""#, undo,
        image))
    #expect(full.verdict == "failed")
    #expect(full.findings.count == 1)
    #expect(full.document["mended"] == .boolean(false))
    let mended = try CheckRun(["--auto-repair", "--undo-file", undo, image])
    #expect(mended.verdict == "sound")
    #expect(mended.document["undo_file"]?.string == undo)
  }

  @Test(arguments: [
    ["--undo-file", "new"], ["--undo", "old", "--auto-repair"],
    ["--undo", "old", "--clear-needs-check-flag"], ["--undo", "old", "--super-block-only"],
    ["--undo", "old", "--skip-mappings"], ["--undo", "old", "-m"],
    ["--undo", "old", "--override-mapping-root=5"],
    ["--undo", "old", "--override-details-root=5"], ["--undo", "old", "--format", "json"],
    ["--undo", "old", "--ignore-non-fatal-errors"],
    ["--undo", "old", "--auto-repair", "--undo-file", "new"],
  ])
  func `options that make no sense together are a usage error`(options: [String]) throws {
    let result = try Program.run("thin_check", options + [try Images.path("fresh")])
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
    #expect(result.errorText.hasPrefix("Error: --undo"))
  }
}
