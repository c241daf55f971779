import Foundation
import TestSupport
import Testing

/// How thin_check ends: what a person should know and do, word for word, for all fixtures.
@Suite struct ClosingTextTests {
  private static let lvmConf = "(must name this program; if it doesn't, set it in lvm.conf)\n"
  private static let mending =
    "To mend it with LVM:\n"
    + "  lvmconfig --type full global/thin_check_executable    " + lvmConf
    + "  lvchange -an VG/THIN1 VG/THIN2 VG/POOL VG/POOL_tmeta    (those that are active)\n"
    + "  lvchange -ay --config 'global/thin_check_options=[\"-q\",\"--clear-needs-check-flag\"]' "
    + "VG/POOL    (then its volumes)\n"
    + "To mend it in a file, or a device that can be written to (LVM's POOL_tmeta can't):\n"
    + "  thin_check --auto-repair PATH\n"
  private static let space =
    "No data is at risk: blocks are allocated, but nothing uses them. LVM may refuse to activate "
    + "the pool until that is mended.\n"
  private static let leak = space + mending
  private static let sound =
    "The metadata is sound. If LVM doesn't activate the pool, check that 'lvs -o transaction_id "
    + "VG/POOL' shows ID too.\n"
  private static let soundOnly = "The metadata is sound.\n"
  private static let needsCheck =
    "The kernel failed to write metadata once and set needs_check; its log says why ('journalctl "
    + "-k'). Until the flag is cleared, the pool takes no new data and can't use added space.\n"
  private static let later = "When that is done:\n"
  private static let metadataFull =
    "Metadata space is used up: 12 blocks of 4 KiB are free, and the kernel keeps 12 for itself. "
    + "The pool can't be written to until it has more: 'lvextend --poolmetadatasize +SIZE "
    + "VG/POOL'.\n"

  private static let dataFull =
    "Every data block that the metadata knows of is in use, all 512 of 64 KiB. If VG/POOL is "
    + "larger than that, the pool grows when it is activated. If not, writes that need a new block "
    + "fail, and file systems may have seen errors: add space with 'lvextend --size +SIZE "
    + "VG/POOL', then check the file systems.\n"

  /// What stands after the findings; PATH is the input.
  private static let texts: [String: String] = [
    "crash-writes": "Found 1 block leaked or counted too high.\n" + leak,
    "data-full": sound + dataFull,
    "discard-crash": "Found 12001 blocks leaked or counted too high.\n" + leak,
    "discard-leak": "Found 300 blocks leaked or counted too high.\n" + leak,
    "ext4": sound,
    "external-origin": sound,
    "fresh": sound,
    "just-deleted": sound,
    "log-writes": sound,
    "many-devices": sound,
    "metadata-failed": sound,
    "metadata-full":
      "Found 1 block leaked or counted too high.\n" + leak + later + metadataFull,
    "metadata-full-create": sound + metadataFull,
    "metadata-snapshot": sound
      + "While a metadata snapshot is held, the pool takes more metadata space. When nobody reads "
      + "it any more, release it: 'dmsetup message VG-POOL-tpool 0 release_metadata_snap'.\n",
    "needs-check": soundOnly + needsCheck + mending,
    "power-cut": sound,
    "resized": sound,
    "reuse-all": sound,
    "reuse-ext4": sound,
    "reuse-other-device": sound,
    "reuse-same-leaf": sound,
    "snapshots": sound,
    "snapshots-of-snapshots": sound,
    "thins": sound,
    "three-levels": sound,
  ]

  /// What stands behind the last line of a finding, on a terminal.
  private func closing(_ path: String) throws -> String {
    let run = try CheckRun([path])
    run.expectAgreement(with: try Program.check(path))
    return run.advice.map { $0 + "\n" }.joined().replacing(path, with: "PATH")
      .replacing(#/shows \d+ too/#, with: "shows ID too")
  }

  @Test func `every fixture has its text`() {
    #expect(ClosingTextTests.texts.keys.sorted() == Images.names)
  }

  @Test(arguments: Images.names)
  func `a fixture's check ends with what to do, or with nothing to say`(name: String) throws {
    #expect(try closing(Images.path(name)) == ClosingTextTests.texts[name])
  }

  private static let repair =
    "Don't activate the pool. Keep a copy of this metadata, and see what a repair would bring "
    + "back:\n"
    + "  dd if=PATH of=COPY bs=1M\n"
    + "  thin_repair --dry-run -i COPY\n"
    + "To write new metadata with LVM:\n"
    + "  lvmconfig --type full global/thin_repair_executable    " + lvmConf
    + "  lvchange -an VG/THIN1 VG/THIN2 VG/POOL VG/POOL_tmeta    (those that are active)\n"
    + "  lvconvert --repair VG/POOL\n"
    + "  lvchange -ay VG/POOL    (then its volumes)\n"
    + "The old metadata stays as VG/POOL_metaN: keep it until your data is checked. Without LVM:\n"
    + "  truncate -s 4096K NEW    (or NEW is a device)\n"
    + "  thin_repair -i COPY -o NEW\n"

  @Test func `what is damaged gets said, and how to repair it`() throws {
    let scratch = try Scratch()
    let count = try closing(scratch.broken("snapshots", "data-count-low"))
    #expect(count.hasPrefix("Found 1 error, 3 warnings.\nDevice 0: the data of "), "\(count)")
    #expect(
      count.hasSuffix("\nEvery mapping can be read.\n" + ClosingTextTests.repair), "\(count)")
    let leaf = try closing(scratch.withoutFirstLeaf("snapshots"))
    #expect(
      leaf.contains(
        #/^Found 1 error\.\nDevice \d+: \d+ of \d+ mappings \(\d+ [KM]iB\) can't be read, in/#
      ),
      "\(leaf)")
    #expect(
      leaf.hasSuffix(
        "\n'lvs -o lv_name,thin_id VG' tells which volume is which device.\n"
          + ClosingTextTests.repair), "\(leaf)")
  }

  @Test func `a bit of the superblock is no superblock lost`() throws {
    let scratch = try Scratch()
    #expect(
      try closing(scratch.broken("snapshots", "superblock-bit"))
        == "Found 1 error.\nThe superblock has one flipped bit. A repair corrects it; until then "
        + "nothing else can be checked.\n"
        + ClosingTextTests.repair)
    var bytes = try Images.bytes(Images.path("snapshots"))
    bytes.replaceSubrange(0..<4096, with: Data(repeating: 0x5A, count: 4096))
    #expect(
      try closing(scratch.file("overwritten", bytes))
        == "Found 1 error.\nBlock 0 is not the superblock of a thin pool, or no longer. Is this "
        + "the right device? With LVM it is /dev/mapper/VG-POOL_tmeta, where a dash inside VG or "
        + "POOL is doubled ('lvchange -ay VG/POOL_tmeta' shows it while the pool is inactive). If "
        + "this is the right device, don't activate the pool.\n"
        + NextSteps.search("PATH", kib: 4096))
  }

  /// The commands are followed to the letter, but for those of LVM.
  @Test func `what is said to do works`() throws {
    let scratch = try Scratch()
    let image = try scratch.withoutFirstLeaf("snapshots")
    let (copy, new) = try (scratch.file("COPY"), scratch.file("NEW"))
    let commands = try closing(image).split(separator: "\n").filter { $0.hasPrefix("  ") }
      .filter { !$0.hasPrefix("  lv") }.map { String($0.dropFirst(2)) }
      .map { $0.replacing(#/ {4}\(.*/#, with: "") }
    #expect(commands.count == 4)
    for command in commands {
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
        "Part of the list of devices can't be read: there may be more devices.\n"
          + "The metadata goes on beyond the end of 'PATH', which has only 400 KiB of its 4096 "
          + "KiB. Don't activate the pool, and don't repair it in this state. If this is a copy, "
          + "it was cut short: make a complete one and check that. If it is VG/POOL_tmeta, it was "
          + "made smaller, or LVM was set back to an older state. Get back exactly the extents "
          + "that it had; 'lvextend' would add others:\n"
          + "  lvs -a -o lv_name,lv_size,devices --units k VG    (how large is [POOL_tmeta]?)\n"
          + "  vgcfgrestore --list VG    (files that say how large it was)\n"))
  }

  /// The kernel sets the flag when it runs out of metadata space in the midst of a change.
  @Test func `what has to wait until the metadata is mended comes after that`() throws {
    let scratch = try Scratch()
    let image = try scratch.broken("metadata-full", "needs-check")
    #expect(
      try closing(image) == "Found 1 block leaked or counted too high.\n" + ClosingTextTests.space
        + ClosingTextTests.needsCheck + ClosingTextTests.mending + ClosingTextTests.later
        + ClosingTextTests.metadataFull)
    let full = try scratch.broken("data-full", "needs-check")
    #expect(
      try closing(full) == ClosingTextTests.soundOnly + ClosingTextTests.needsCheck
        + ClosingTextTests.mending + ClosingTextTests.later + ClosingTextTests.dataFull)
    #expect(
      try Program.check("--auto-repair", full).errorText.hasSuffix(
        "'\(full)' is mended; a check finds nothing wrong any more.\n" + ClosingTextTests.dataFull))
  }

  @Test func `space that was added and not used yet is told`() throws {
    let scratch = try Scratch()
    let image = try scratch.file(
      "extended", Images.bytes(Images.path("metadata-full-create")) + Data(count: 512 << 10))
    #expect(
      try closing(image) == ClosingTextTests.sound
        + "Metadata space is short: 12 blocks of 4 KiB are free, and the kernel keeps 12 for "
        + "itself. But the device is larger: the pool gains 512 KiB when it is next activated.\n")
  }

  @Test func `that nothing was mended is said`() throws {
    let scratch = try Scratch()
    let image = try scratch.withoutFirstLeaf("snapshots")
    #expect(
      try Program.check("--auto-repair", image).errorText.contains(
        "\nNothing was mended, as there are errors.\nDon't activate the pool."))
  }

  /// A name that a shell would take apart.
  @Test func `commands can be copied whatever the file is called`() throws {
    let scratch = try Scratch()
    let image = try scratch.file("a b's", Images.bytes(Images.path("discard-leak")))
    #expect(try Program.check(image).errorText.hasSuffix("/a b'\\''s'\n"))
  }

  @Test func `mending says so`() throws {
    let scratch = try Scratch()
    let image = try scratch.copy("needs-check")
    #expect(
      try Program.check("--auto-repair", image).errorText
        == "note: superblock: the kernel asked for a check (needs_check is set)\n"
        + "'\(image)' is mended; a check finds nothing wrong any more.\n")
  }
}
