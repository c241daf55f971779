import Foundation
import TestSupport
import Testing

/// thin_check that only looks.
@Suite struct ThinCheckTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func `every thin fixture stands in the table`() throws {
    let rows = try FixtureTable.thinImages().compactMap(\.imageName).map { $0.dropFirst(5) }
    #expect(rows.map(String.init).sorted() == Images.names)
    #expect(!rows.isEmpty)
  }

  @Test(arguments: try! FixtureTable.thinImages())
  func `the status is the table's verdict, and the input stays as it was`(
    row: FixtureTable.Row
  ) throws {
    let image = try scratch.copy(String(try #require(row.imageName).dropFirst(5)))
    let before = try Images.bytes(image)
    let loud = try Program.check(image)
    let silent = try Program.check("-q", image)
    let isSound = row.verdict.hasPrefix("sound")
    #expect(loud.status == (isSound ? 0 : 1))
    #expect(loud.errorText.contains("leak: ") == row.verdict.contains("leak"))
    #expect(!loud.errorText.contains("warning: "))
    #expect(loud.text.wholeMatch(of: /TRANSACTION_ID=\d+\nMETADATA_FREE_BLOCKS=\d+\n/) != nil)
    #expect(silent.status == loud.status)
    #expect(silent.output.isEmpty)
    #expect(silent.errors.isEmpty)
    #expect(try Images.bytes(image) == before)
  }

  @Test(.enabled(if: Peer.new.isThere, Peer.new.absence), arguments: Images.names)
  func `the numbers on standard output are those of 1.1.0`(name: String) throws {
    let image = try Images.path(name)
    #expect(try Program.check(image).text == Peer.new.run("thin_check", image).text)
  }

  @Test func `a sound pool is called sound, or what was looked at of it`() throws {
    let result = try Program.check(Images.path("thins"))
    #expect(result.status == 0)
    #expect(result.text == "TRANSACTION_ID=0\nMETADATA_FREE_BLOCKS=1009\n")
    // Nobody watches: cron would send a mail.
    #expect(result.errorText == "")
    let watched = try Terminal.run("thin_check", Images.path("thins"))
    #expect(watched.text.contains("\nThe metadata is sound. If LVM doesn't "), "\(watched.text)")
    for option in ["--super-block-only", "--skip-mappings"] {
      let result = try Terminal.run("thin_check", option, Images.path("thins"))
      #expect(result.text.hasSuffix("\nWhat was looked at is sound.\n"), "\(result.text)")
    }
  }

  @Test func `unwatched, a sound pool is told of only where something has to be done`() throws {
    let note = "note: superblock: the kernel asked for a check (needs_check is set)\n"
    #expect(try Program.check(Images.path("needs-check")).errorText.hasPrefix(note))
    #expect(
      try Program.check(Images.path("data-full")).errorText.hasPrefix(
        "note: pool: every data block is in use"))
    #expect(try Program.check(Images.path("metadata-snapshot")).errorText == "")
  }

  @Test func `a leak is told with what to do about it`() throws {
    let image = try Images.path("discard-leak")
    let result = try Program.check(image)
    #expect(result.status == 1)
    #expect(
      result.errorText == """
        leak: data space map, data blocks 100..399: allocated, but nothing uses it (found count \
        1, expected 0)
        Found 300 blocks leaked or counted too high.
        No data is at risk: blocks are allocated, but nothing uses them. LVM may refuse to \
        activate the pool until that is mended.
        To mend it with LVM:
          lvmconfig --type full global/thin_check_executable    (must name this \
        program; if it doesn't, set it in lvm.conf)
          lvchange -an VG/THIN1 VG/THIN2 VG/POOL VG/POOL_tmeta    (those that are active)
          lvchange -ay --config 'global/thin_check_options=["-q","--clear-needs-check-flag"]' \
        VG/POOL    (then its volumes)
        To mend it in a file, or a device that can be written to (LVM's POOL_tmeta can't):
          thin_check --auto-repair \(image)

        """)
  }

  @Test(arguments: [
    ("leaf-bit", "bad checksum"),
    ("superblock-bit", "error: superblock: bad checksum"),
    ("data-count-low", "error: data space map, data block 0: reference count too low"),
    ("metadata-count-low", "reference count too low (found count 0, expected 1)"),
    ("keys-swapped", "entry 1: keys do not ascend (found 0, expected > 1)"),
    ("mapped-count", "error: details tree, device 0: the number of mapped blocks is wrong"),
  ])
  func `damage is told, and stays as it was`(how: String, line: String) throws {
    let image = try scratch.broken("snapshots", how)
    let before = try Images.bytes(image)
    let first = try Program.check(image)
    #expect(first.status == 1)
    #expect(first.errorText.contains(line), "\(first.errorText)")
    #expect(first.errorText.contains("dd if=\(image) of=COPY bs=1M\n"))
    let second = try Program.check(image)
    #expect(second.output == first.output)
    #expect(second.errors == first.errors)
    for option in ["-q", "--quiet"] {
      let quiet = try Program.check(option, image)
      #expect(quiet.status == 1)
      #expect(quiet.output.isEmpty && quiet.errors.isEmpty)
    }
    #expect(try Images.bytes(image) == before)
  }

  @Test func `the superblock alone can be checked`() throws {
    let leaf = try scratch.broken("snapshots", "leaf-bit")
    #expect(try Program.check("--super-block-only", leaf).status == 0)
    let superblock = try scratch.broken("snapshots", "superblock-bit")
    #expect(try Program.check("--super-block-only", superblock).status == 1)
  }

  @Test func `mappings can be left out, but not the details`() throws {
    for how in ["leaf-bit", "data-count-low"] {
      let image = try scratch.broken("snapshots", how)
      #expect(try Program.check("--skip-mappings", image).status == 0, "\(how)")
    }
    // The superblock leads to the details as it does to the mappings.
    let roots = try Metadata.roots(of: Images.path("snapshots"))
    let image = try scratch.copy("snapshots")
    try zero(block: roots.details, of: image)
    #expect(try Program.check("--skip-mappings", image).status == 1)
  }

  @Test func `leaks can be let pass, damage can't`() throws {
    let leak = try Images.path("discard-leak")
    #expect(try Program.check(leak).status == 1)
    #expect(try Program.check("--ignore-non-fatal-errors", leak).status == 0)
    let damage = try scratch.broken("snapshots", "data-count-low")
    #expect(try Program.check("--ignore-non-fatal-errors", damage).status == 1)
  }

  @Test func `the metadata snapshot is checked, not the live pool`() throws {
    let name = "metadata-snapshot"
    let sound = try CheckRun(["-m", Images.path(name)])
    #expect(sound.shell.status == 0)
    #expect(
      sound.messages == ["note: metadata snapshot: a metadata snapshot is held (found block 39)"])
    #expect(sound.advice.first == "The metadata snapshot is sound.")
    // A leaf that was written since belongs to the live pool only.
    let image = try scratch.copy(name)
    try zero(block: try Metadata.roots(of: image).details, of: image)
    #expect(try Program.check(image).status == 1)
    #expect(try Program.check("--metadata-snap", image).status == 0)
    // Its superblock is all there is to find it by.
    let lost = try scratch.copy(name)
    try zero(block: 39, of: lost)
    let check = try Program.check("-m", lost)
    #expect(check.status == 1)
    #expect(check.text == "")
    #expect(
      check.errorText.hasSuffix(
        """
        Found 1 error.
        The damage is in the metadata snapshot, in block 39, and perhaps only there. Release it, \
        reserve a new one and try again; the pool can stay active:
          dmsetup message VG-POOL-tpool 0 release_metadata_snap
          dmsetup message VG-POOL-tpool 0 reserve_metadata_snap
          thin_check -m \(lost)
        If that finds the same, the pool's own metadata may be damaged: when the pool is inactive \
        next, check it without -m.

        """), "\(check.errorText)")
    // The live pool has all that it needs.
    let dump = try Program.dump(lost)
    #expect(dump.status == 0)
    #expect(dump.text == (try Program.dump(Images.path(name)).text))
    #expect(dump.errorText.contains("The metadata snapshot, in block 39, is damaged."))
  }

  @Test func `without a metadata snapshot there is none to check`() throws {
    let image = try Images.path("thins")
    let result = try Program.check("-m", image)
    #expect(result.status == 66)
    #expect(result.text.isEmpty)
    #expect(
      result.errorText
        == "thin_check: '\(image)' has no metadata snapshot; 'dmsetup message VG-POOL-tpool 0 "
        + "reserve_metadata_snap' makes one\n")
  }

  @Test func `other roots can be checked`() throws {
    let image = try Images.path("snapshots")
    let roots = try Metadata.roots(of: image)
    let mapping = "--override-mapping-root=\(roots.mapping)"
    let details = "--override-details-root=\(roots.details)"
    #expect(try Program.check(mapping, image).status == 0)
    #expect(try Program.check(details, image).status == 0)
    #expect(try Program.check(mapping, details, image).status == 0)
  }

  @Test func `a root that is none of its kind is no input, in one line`() throws {
    for name in ["snapshots", "many-devices", "three-levels"] {
      let image = try Images.path(name)
      let roots = try Metadata.roots(of: image)
      let device = try Metadata.deviceRoots(of: image)[0]
      // The superblock, each in the other's place, a device's own root, what is no node, and what
      // the device does not have.
      let last = try Images.bytes(image).count / 4096 - 1
      for (option, wrong) in [
        ("--override-mapping-root", [0, roots.details, device, last, last + 1, 1 << 50]),
        ("--override-details-root", [0, roots.mapping, device, last, last + 1, 1 << 50]),
      ] {
        for root in wrong {
          let result = try Program.check("\(option)=\(root)", image)
          #expect(result.status == 66, "\(name) \(option) \(root)")
          #expect(result.text.isEmpty)
          let line = "thin_check: '\(image)' has no such root for \(option) as \(root): "
          #expect(result.errorText.hasPrefix(line), "\(result.errorText)")
          #expect(result.errorText.count { $0 == "\n" } == 1)
        }
      }
    }
  }

  @Test func `damage below an overriding root is damage`() throws {
    let image = try scratch.withoutFirstLeaf("snapshots")
    let roots = try Metadata.roots(of: image)
    for root in ["mapping-root=\(roots.mapping)", "details-root=\(roots.details)"] {
      #expect(try Program.check("--override-\(root)", image).status == 1)
    }
  }

  @Test func `a flood of damaged blocks is cut off and counted`() throws {
    // 480 devices, and each has lost the root of its mappings.
    let image = try scratch.copy("many-devices")
    for block in try Metadata.deviceRoots(of: image) { try zero(block: block, of: image) }
    let result = try Program.check(image)
    #expect(result.status == 1)
    let lines = result.errorText.split(separator: "\n")
    let findings = lines.prefix { $0.contains(#/^(error|leak|warning|note): /#) }
    #expect(findings.filter { $0.hasPrefix("error: mapping tree, ") }.count == 100)
    #expect(findings[99].hasSuffix(", and 380 more like this"), "\(findings[99])")
    #expect(try Program.check(image).errors == result.errors)
  }

  @Test(arguments: [
    ["--auto-repair", "--ignore-non-fatal-errors"],
    ["--auto-repair", "--super-block-only"],
    ["--auto-repair", "--skip-mappings"],
    ["--auto-repair", "--metadata-snap"],
    ["--auto-repair", "--override-mapping-root=5"],
    ["--auto-repair", "--override-details-root=5"],
    ["--clear-needs-check-flag", "-m"],
    ["--clear-needs-check-flag", "--override-mapping-root=5"],
    ["--clear-needs-check-flag", "--override-details-root=5"],
  ])
  func `options that contradict each other are a usage error`(options: [String]) throws {
    let image = try scratch.copy("needs-check")
    let before = try Images.bytes(image)
    let result = try Program.run("thin_check", options + [image])
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
    #expect(result.errorText.hasPrefix("Error: \(options[0]) can't be used with --"))
    #expect(try Images.bytes(image) == before)
  }
}
