import Foundation
import TestSupport
import Testing

/// The wrong file or device: what people are told it is, and what to name instead, word for word.
@Suite struct ForeignInputTests {
  /// A kind of input, by bytes that stand at an offset, and the end of the sentence.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let offset: Int
    let bytes: [UInt8]
    let words: String

    init(_ name: String, at offset: Int = 0, _ bytes: [UInt8], _ words: String) {
      testDescription = name
      self.offset = offset
      self.bytes = bytes
      self.words = words
    }

    init(_ name: String, at offset: Int = 0, _ text: String, _ words: String) {
      self.init(name, at: offset, Array(text.utf8), words)
    }

    private static let lvm =
      "with LVM the metadata of VG/POOL is /dev/mapper/VG-POOL_tmeta, where a dash inside VG or "
      + "POOL is doubled ('lvchange -ay VG/POOL_tmeta' shows it while the pool is inactive)"

    static let all = [
      Case(
        "packed", [0x77, 0xEF, 0x09, 0x63, 0xAA, 0xA0, 0x37, 0xA5],
        "metadata packed by thin_metadata_pack; this unpacks it:\n  thin_metadata_unpack -i PATH "
          + "-o NEW"),
      Case("gzip", [0x1F, 0x8B, 8], "a gzip file; unpack it first, with gunzip"),
      Case(
        "xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "an xz file; unpack it first, with xz -d"),
      Case("zstd", [0x28, 0xB5, 0x2F, 0xFD], "a zstd file; unpack it first, with zstd -d"),
      Case(
        "qcow2", Array("QFI".utf8) + [0xFB],
        "a qcow2 disk image; name the metadata device inside it (qemu-nbd shows a guest's disks)"),
      Case(
        "LUKS", Array("LUKS".utf8) + [0xBA, 0xBE],
        "a LUKS volume; open it with cryptsetup, and name the metadata device inside it"),
      Case("LVM", "LABELONE", "an LVM physical volume; \(lvm)"),
      Case("LVM, second sector", at: 512, "LABELONE", "an LVM physical volume; \(lvm)"),
      Case("ext4", at: 1080, [0x53, 0xEF], "an ext2, ext3 or ext4 file system; \(lvm)"),
      Case("XFS", "XFSB", "an XFS file system; \(lvm)"),
      Case("Btrfs", at: 65600, "_BHRfS_M", "a Btrfs file system; \(lvm)"),
      Case("swap", at: 4086, "SWAPSPACE2", "swap space; \(lvm)"),
      Case("GPT", at: 512, "EFI PART", "a disk with a partition table; \(lvm)"),
      Case("MBR", at: 510, [0x55, 0xAA], "a disk with a partition table; \(lvm)"),
      Case(
        "XML", "<superblock uuid=\"\"",
        "XML; this makes metadata of it:\n  thin_restore -i PATH -o NEW"),
      Case(
        "XML declaration", "<?xml version=",
        "XML; this makes metadata of it:\n  thin_restore -i PATH -o NEW"),
      Case(
        "undo file", "dmmeta undo file",
        "an undo file; this puts back what it keeps:\n  thin_check --undo PATH DEVICE"
      ),
      Case("FAT", at: 54, "FAT16", "a FAT file system; \(lvm)"),
      Case("cpio", "070701", "a cpio archive; unpack it first"),
    ]
  }

  private let scratch: Scratch
  private let output: String

  init() throws {
    scratch = try Scratch()
    output = try scratch.blank("output", bytes: 4 << 20)
  }

  /// Gives an input to all tools that read metadata. `words`: what follows "this is", with PATH for
  /// the input.
  private func expect(_ path: String, _ words: String) throws {
    let words = words.replacing("PATH", with: path)
    for arguments in [
      ["thin_check", path], ["thin_dump", path], ["thin_roots", path],
      ["thin_repair", "-i", path, "-o", output], ["thin_repair", "--dry-run", "-i", path],
    ] {
      let result = try Program.run(arguments[0], Array(arguments.dropFirst()))
      #expect(result.status == 65)
      #expect(result.text.isEmpty)
      #expect(
        result.errorText
          == "\(arguments[0]): '\(path)' is not the metadata of a thin pool: this is \(words)\n")
    }
    #expect(try Images.bytes(output) == Data(count: 4 << 20))
    let run = try CheckRun([path])
    #expect(run.verdict == "not_metadata")
    #expect(run.failure?.hasSuffix(words) == true)
  }

  @Test(arguments: Case.all)
  func `what a file or device is gets said, and what to name instead`(test: Case) throws {
    var bytes = Data(count: 1 << 20)
    bytes.replaceSubrange(test.offset..<test.offset + test.bytes.count, with: test.bytes)
    try expect(try scratch.file("other", bytes), test.words)
  }

  @Test(arguments: [
    (
      "cache/cache-v1",
      "the metadata of a cache; cache_check, cache_dump and cache_repair are for "
        + "that"
    ),
    ("era/era", "the metadata of an era device; era_check, era_dump and era_repair are for that"),
  ])
  func `metadata of other targets is named`(name: String, words: String) throws {
    try expect(try scratch.file("other", TestFiles.image(name)), words)
  }

  @Test func `an output that was never finished is named`() throws {
    let unfinished = try scratch.blank("unfinished", bytes: 4 << 20)
    let restore = try Program.script(
      """
      printf '<superblock uuid="" time="0" transaction="0" version="2" data_block_size="128" \
      nr_data_blocks="1">' | $dmmeta thin_restore -i /dev/stdin -o "$1"
      """, unfinished)
    #expect(restore.status == 1)
    try expect(
      unfinished,
      "the output of a restore or repair that was interrupted; run it again, as its input is "
        + "unchanged")
  }

  @Test func `zeroes may hide a pool, and only a repair can tell`() throws {
    let path = try scratch.blank("zeroes", bytes: 1 << 20)
    for tool in ["thin_check", "thin_dump"] {
      let result = try Program.run(tool, [path])
      #expect(result.status == 65)
      #expect(
        result.errorText
          == "\(tool): '\(path)' is not the metadata of a thin pool, or no longer: block 0 is "
          + "nothing but zeroes. Is this the right device? If it is, don't activate the pool: the "
          + "kernel would format it.\n" + NextSteps.search(path, kib: 1024))
    }
    let result = try Program.repair("-i", path, "-o", output)
    #expect(result.status == 65)
    #expect(
      result.errorText
        == "thin_repair: '\(path)' is not the metadata of a thin pool: block 0 is nothing but "
        + "zeroes, and no other block leads to a pool; is it the right device?\n")
  }

  @Test func `a piece of metadata that starts too late is named`() throws {
    // From block 1 on, which is the first that is no superblock.
    let image = try Images.bytes(Images.path("thins"))
    let path = try scratch.file("piece", image.suffix(from: 4096))
    let check = try Program.check(path)
    #expect(check.status == 65)
    let kind = try #require(
      ["a B-tree node", "a space map bitmap", "a space map index"].first {
        check.errorText.contains("block 0 is \($0).")
      }, "\(check.errorText)")
    #expect(
      check.errorText
        == "thin_check: '\(path)' is not the metadata of a thin pool, or no longer: block 0 is "
        + "\(kind). Is this the right device? If it is, don't activate the pool.\n"
        + NextSteps.search(path, kib: 4092))
  }

  @Test func `metadata that was cut short says so`() throws {
    let image = try Images.bytes(Images.path("thins"))
    let path = try scratch.file("cut", image.prefix(image.count / 2))
    let result = try Program.check(path)
    #expect(result.status == 1)
    #expect(
      result.errorText.contains(
        "error: superblock: the device is smaller than its space map says (found 512 blocks, "
          + "expected 1024)\n"))
    #expect(
      result.errorText.contains(
        "\nThe metadata goes on beyond the end of '\(path)', which has only 2048 KiB of its 4096 "
          + "KiB. Don't activate the pool, and don't repair it in this state."),
      "\(result.errorText)")
  }

  @Test func `metadata in place of XML is named, with what makes XML of it`() throws {
    let path = try Images.path("fresh")
    let result = try Program.restore("-i", path, "-o", output)
    #expect(result.status == 65)
    #expect(
      result.errorText
        == "thin_restore: '\(path)' is not XML: this is the metadata of a thin pool; thin_repair "
        + "takes it as it is, and this makes XML of it:\n  thin_dump \(path) -o XML\n")
    #expect(try Images.bytes(output) == Data(count: 4 << 20))
  }

  @Test func `packed XML is named, and other things that are no XML`() throws {
    for (bytes, words) in [
      ([0x1F, 0x8B, 8] as [UInt8], "a gzip file; unpack it first, with gunzip"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "an xz file; unpack it first, with xz -d"),
      ([0x28, 0xB5, 0x2F, 0xFD], "a zstd file; unpack it first, with zstd -d"),
      (Array("LUKS".utf8) + [0xBA, 0xBE], "a LUKS volume"), ([], "nothing but zeroes"),
    ] {
      let path = try scratch.file("packed", Data(bytes) + Data(count: 1 << 16))
      let result = try Program.restore("-i", path, "-o", output)
      #expect(result.status == 65)
      #expect(result.errorText == "thin_restore: '\(path)' is not XML: this is \(words)\n")
    }
    let text = try scratch.file("text", Data("hello, this is no XML\n".utf8))
    let result = try Program.restore("-i", text, "-o", output)
    #expect(result.status == 65)
    #expect(result.errorText.contains("this is not XML"))
    #expect(try Images.bytes(output) == Data(count: 4 << 20))
  }
}
