import Foundation
import TestSupport
import Testing

/// How thin_check ends: what a person should know and do, word for word, for all fixtures.
@Suite struct ClosingTextTests {
  private static let mending =
    "To mend this with LVM, deactivate all volumes of the pool and the pool, then:\n"
    + "  lvchange -ay --config 'global/thin_check_options=[\"-q\",\"--clear-needs-check-flag\"]' "
    + "VG/POOL\n"
    + "To mend it in a file, or a device that is not in use:\n"
    + "  thin_check --auto-repair PATH\n"
  private static let space =
    "Nothing but space is at risk: blocks are held for nothing.\n"
  private static let leak = space + mending
  private static let needsCheck =
    "The kernel could not write it once, and its log says why. Until the flag needs_check is "
    + "cleared, it writes nothing to the pool and does not let it grow.\n"
  private static let metadataFull =
    "Metadata space is used up: 12 blocks of 4 KiB are free, and the kernel keeps 12 for itself. "
    + "The pool can't be written before it has more: 'lvextend --poolmetadatasize +SIZE VG/POOL'.\n"

  /// What stands after the findings; PATH is the input. Where nothing is to be said, nothing is.
  private static let texts: [String: String] = [
    "crash-writes": "Found 1 block leaked or counted too high.\n" + leak,
    "data-full":
      "Data space is used up: writes that need a new block fail, and file systems may have seen "
      + "errors. 'lvextend --size +SIZE VG/POOL' adds some; check the file systems then.\n",
    "discard-crash": "Found 12001 blocks leaked or counted too high.\n" + leak,
    "discard-leak": "Found 300 blocks leaked or counted too high.\n" + leak,
    "ext4": "",
    "external-origin": "",
    "fresh": "",
    "just-deleted": "",
    "log-writes": "",
    "many-devices": "",
    "metadata-failed": "",
    "metadata-full": "Found 1 block leaked or counted too high.\n" + leak + metadataFull,
    "metadata-full-create": metadataFull,
    "metadata-snapshot":
      "While a metadata snapshot is held, the pool takes more metadata space. When nobody reads it "
      + "any more: 'dmsetup message VG-POOL-tpool 0 release_metadata_snap'.\n",
    "needs-check": "The metadata is sound. " + needsCheck + mending,
    "power-cut": "",
    "resized": "",
    "reuse-all": "",
    "reuse-ext4": "",
    "reuse-other-device": "",
    "reuse-same-leaf": "",
    "snapshots": "",
    "snapshots-of-snapshots": "",
    "thins": "",
    "three-levels": "",
  ]

  /// What stands behind the last line of a finding.
  private func closing(_ path: String) throws -> String {
    let lines = try Program.check(path).errorText.split(
      separator: "\n", omittingEmptySubsequences: false)
    let isFinding = { (line: Substring) in
      line.contains(#/^(error|leak|warning|note): /#) || line.hasSuffix("findings are not shown")
    }
    return lines.drop(while: isFinding).joined(separator: "\n").replacing(path, with: "PATH")
  }

  @Test func `every fixture has its text`() {
    #expect(ClosingTextTests.texts.keys.sorted() == Images.names)
  }

  @Test(arguments: Images.names)
  func `a fixture's check ends with what to do, or with nothing to say`(name: String) throws {
    #expect(try closing(Images.path(name)) == ClosingTextTests.texts[name])
  }

  private static let newOutput = "NEW is a device, or a file made with 'truncate -s 4096K NEW'.\n"
  private static let errors =
    "Don't activate the pool. Keep a copy of this metadata, and see what a repair would bring "
    + "back:\n"
    + "  dd if=PATH of=COPY bs=1M\n"
    + "  thin_repair --dry-run -i COPY\n"
    + "Then write new metadata from what is sound. With LVM (and VG/POOL_tmeta inactive again):\n"
    + "  lvconvert --repair VG/POOL\n"
    + "It keeps the old metadata as VG/POOL_metaN: leave that there until your data is checked. "
    + "Without LVM:\n"
    + "  thin_repair -i COPY -o NEW\n" + newOutput

  @Test func `what is damaged gets said, and how to repair it`() throws {
    let scratch = try Scratch()
    #expect(
      try closing(scratch.broken("snapshots", "data-count-low"))
        == "Found 1 error, 3 warnings.\nEvery mapping can be read.\n" + ClosingTextTests.errors)
    let leaf = try closing(scratch.withoutFirstLeaf("snapshots"))
    #expect(leaf.hasPrefix("Found 1 error.\nDevice "), "\(leaf)")
    #expect(
      leaf.hasSuffix(
        " can't be read.\nA repair may find much of that again.\n" + ClosingTextTests.errors),
      "\(leaf)")
    #expect(
      try closing(scratch.broken("snapshots", "superblock-bit"))
        == "Found 1 error.\nWithout a superblock nothing can be checked. DON'T activate the pool: "
        + "where block 0 is zeroed the kernel would format it. If this is the right device, keep a "
        + "copy, then have a repair look for the pool in the other blocks:\n"
        + "  dd if=PATH of=COPY bs=1M\n"
        + "  lvs -o chunksize --units s VG/POOL    (shows SECTORS)\n"
        + "  thin_repair -i COPY -o NEW --data-block-size SECTORS\n"
        + "NEW is a device, or a file made with 'truncate -s SIZE NEW', as large as this one. With "
        + "LVM it is a new volume; swap it in with 'lvconvert --swapmetadata --poolmetadata VG/NEW "
        + "VG/POOL'.\n")
  }

  /// The commands are followed to the letter, but for those of LVM.
  @Test func `what is said to do works`() throws {
    let scratch = try Scratch()
    let image = try scratch.withoutFirstLeaf("snapshots")
    let (copy, new) = try (scratch.file("COPY"), scratch.file("NEW"))
    let commands = try closing(image).split(separator: "\n").filter { $0.hasPrefix("  ") }
      .filter { !$0.contains("VG") }.map { String($0.dropFirst(2)) }
    #expect(commands.count == 3)
    for command in ["truncate -s 4096K NEW"] + commands {
      let words = command.replacing("PATH", with: image).replacing("COPY", with: copy)
        .replacing("NEW", with: new).split(separator: " ").map { String($0) }
      let result =
        words[0].hasPrefix("thin_")
        ? try Program.run(words[0], Array(words.dropFirst()))
        : try Shell.run("/usr/bin/env", words)
      #expect(result.status == 0, "\(command): \(result.errorText)")
    }
    #expect(try Program.check(new).status == 0)
  }

  @Test func `metadata that is cut short is not to be repaired`() throws {
    let scratch = try Scratch()
    let cut = try scratch.file("cut", Images.bytes(Images.path("ext4")).prefix(100 * 4096))
    #expect(
      try closing(cut).hasSuffix(
        "The list of devices can't be read as a whole: there may be more of them.\n"
          + "The metadata goes on beyond the end of 'PATH'. Don't activate the pool, and don't "
          + "repair it like this. A copy was cut short: make a whole one and check that. If this "
          + "is the pool's own device, get the rest back first: a physical volume is missing, or "
          + "the volume was made smaller than its 1024 blocks of 4 KiB.\n"
          + "  vgs -o +vg_missing_pv_count VG     (is a physical volume missing?)\n"
          + "  lvs -a -o +seg_size,devices VG     (how large is [POOL_tmeta], and where is it?)\n"
          + "  vgcfgrestore --list VG             (what was it before?)\n"))
  }

  /// The kernel sets the flag when it runs out of metadata space in the midst of a change.
  @Test func `where the kernel would not let a pool grow the order is said`() throws {
    let scratch = try Scratch()
    let image = try scratch.broken("metadata-full", "needs-check")
    #expect(
      try closing(image) == "Found 1 block leaked or counted too high.\n" + ClosingTextTests.space
        + ClosingTextTests.needsCheck + ClosingTextTests.mending + ClosingTextTests.metadataFull
        + "Clear needs_check first, then add space.\n")
    let full = try scratch.broken("data-full", "needs-check")
    #expect(
      try closing(full) == "The metadata is sound. " + ClosingTextTests.needsCheck
        + ClosingTextTests.mending + (ClosingTextTests.texts["data-full"] ?? "")
        + "Clear needs_check first, then add space.\n")
    #expect(
      try Program.check("--auto-repair", full).errorText.hasSuffix(
        "Mended in place; a check finds nothing wrong any more.\n"
          + (ClosingTextTests.texts["data-full"] ?? "")))
  }

  @Test func `mending says so`() throws {
    let scratch = try Scratch()
    let image = try scratch.copy("needs-check")
    #expect(
      try Program.check("--auto-repair", image).errorText
        == "note: superblock: the kernel asked for a check (needs_check is set)\n"
        + "Mended in place; a check finds nothing wrong any more.\n")
  }
}
