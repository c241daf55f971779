import Foundation
import TestSupport
import Testing

/// How thin_check ends: what a person should know and do, word for word, for all fixtures.
@Suite struct ClosingTextTests {
  private static let leak =
    "Nothing but space is at risk. 'thin_check --auto-repair PATH' gives it back; LVM does the "
    + "same when it activates the pool, unless its thin_check_options were changed.\n"
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
    "needs-check":
      "The metadata is sound. The kernel could not write it once, and its log says why. When that "
      + "is put right, 'thin_check --clear-needs-check-flag PATH' lets the pool be written again; "
      + "LVM does the same when it activates the pool, unless its thin_check_options were "
      + "changed.\n",
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

  private static let errors =
    "Don't activate the pool. Keep a copy of this metadata, then write new metadata from what is "
    + "sound:\n"
    + "  thin_repair -i PATH -o NEW        (PATH is only read)\n"
    + "  with LVM: lvconvert --repair VG/POOL   (keep the old metadata, VG/POOL_metaN, until your "
    + "data is checked)\n"

  @Test func `what is damaged gets said, and how to repair it`() throws {
    let scratch = try Scratch()
    #expect(
      try closing(scratch.broken("snapshots", "data-count-low"))
        == "Found 1 error, 3 warnings.\nEvery mapping can be read.\n" + ClosingTextTests.errors)
    let leaf = try closing(scratch.withoutFirstLeaf("snapshots"))
    #expect(leaf.hasPrefix("Found 1 error.\nDevice "), "\(leaf)")
    #expect(leaf.hasSuffix(" can't be read.\n" + ClosingTextTests.errors), "\(leaf)")
    #expect(
      try closing(scratch.broken("snapshots", "superblock-bit"))
        == "Found 1 error.\nWithout a superblock nothing can be checked. If this is the right "
        + "device, 'thin_repair -i PATH -o NEW' looks for the pool in its other blocks. DON'T "
        + "activate it: where block 0 is zeroed the kernel would format it.\n")
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
