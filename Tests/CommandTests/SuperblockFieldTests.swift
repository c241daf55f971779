import Foundation
import TestSupport
import Testing

/// A superblock of which a byte is wrong, or a field under a checksum that fits.
@Suite struct SuperblockFieldTests {
  private let scratch: Scratch
  private let output: String

  init() throws {
    scratch = try Scratch()
    output = try scratch.blank("output", bytes: 4 << 20)
  }

  /// Offsets of a checksum's byte, of fields, and of bytes that nothing uses.
  @Test(arguments: [(1, 0xEE), (32, 0xA5), (48, 0x3C), (65, 0x18), (320, 0xFF), (4095, 0x81)])
  func `one wrong byte is found by the checksum and put right`(offset: Int, change: UInt8) throws {
    var bytes = try Images.bytes(Images.path("snapshots"))
    bytes[offset] ^= change
    let image = try scratch.file("image", bytes)
    let check = try Program.check(image)
    #expect(check.status == 1)
    #expect(
      check.errorText.contains(
        "error: superblock: bad checksum (found one wrong byte; repair turns "
          + "it back)\n"), "\(check.errorText)")
    #expect(check.errorText.contains("\nThe superblock has one wrong byte."))
    let repair = try Program.repair("-i", image, "-o", output)
    #expect(repair.status == 0)
    #expect(
      repair.errorText.contains(
        "Damaged, one wrong byte, which was put right: block 0 (superblock).\n"),
      "\(repair.errorText)")
    #expect(
      try PoolText(Program.dump(output).output)
        == PoolText(Program.dump(Images.path("snapshots")).output))
  }

  @Test func `two wrong bytes are not taken for one`() throws {
    var bytes = try Images.bytes(Images.path("snapshots"))
    bytes[48] ^= 0x3C
    bytes[65] ^= 0x18
    let check = try Program.check(scratch.file("image", bytes))
    #expect(check.errorText.contains("(expected a thin superblock)\n"))
  }

  @Test(arguments: [0, 64, 129, 1 << 22, UInt32.max])
  func `a data block size that can't be is named, with what helps`(sectors: UInt32) throws {
    let image = try scratch.sealed("snapshots", blockSize: sectors)
    let check = try Program.check(image)
    #expect(check.status == 1)
    #expect(
      check.errorText.contains(
        "error: superblock: the data block size is not possible (found \(sectors) sectors"))
    #expect(
      check.errorText.contains("\n  thin_repair --dry-run -i COPY --data-block-size SECTORS\n"))
    #expect(!check.errorText.contains("lvconvert --repair"))
    let repair = try Program.repair("-i", image, "-o", output)
    #expect(repair.status == 1)
    #expect(
      repair.errorText.hasPrefix(
        "thin_repair: the data block size in the superblock can't be right: \(sectors) sectors"))
    #expect(try Images.bytes(output) == Data(count: 4 << 20))
    #expect(try Program.repair("-i", image, "-o", output, "--data-block-size", "128").status == 0)
    #expect(
      try PoolText(Program.dump(output).output)
        == PoolText(Program.dump(Images.path("snapshots")).output))
  }

  @Test func `where no mapping is left, no empty pool is written`() throws {
    let image = try scratch.copy("reuse-same-leaf")
    for root in try Metadata.deviceRoots(of: image) { try zero(block: root, of: image) }
    for arguments in [["-o", output], ["--dry-run"]] {
      let repair = try Program.run("thin_repair", ["-i", image] + arguments)
      #expect(repair.status == 1)
      #expect(repair.errorText.contains("no mapping is left in '\(image)'"), "\(repair.errorText)")
    }
    #expect(try Images.bytes(output) == Data(count: 4 << 20))
  }
}

extension Scratch {
  /// A fixture with another data block size, under a checksum that fits.
  fileprivate func sealed(_ name: String, blockSize: UInt32) throws -> String {
    let path = try copy(name)
    let folder = TestFiles.root.appendingPathComponent("Tests/Kernel").path
    let code = """
      import struct, sys, metadata
      image = metadata.Image(sys.argv[1])
      struct.pack_into("<I", image.bytes, metadata.DATA_BLOCK_SECTORS, int(sys.argv[2]))
      image.seal(0, "superblock")
      open(sys.argv[1], 'wb').write(image.bytes)
      """
    let result = try Shell.run(
      "/usr/bin/env",
      [
        "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=\(folder)", "python3", "-c", code, path,
        "\(blockSize)",
      ])
    try #require(result.status == 0, "\(result.errorText)")
    return path
  }
}
