import Foundation
import PersistentData
import TestSupport
import Testing

/// Metadata comes out of a pack as it went in, whoever packed it and whoever unpacks it.
@Suite struct PackTests {
  private static let images =
    Images.names.map { "thin/\($0)" } + TestFiles.fixtureNames("kernel/cache").map { "cache/\($0)" }
    + TestFiles.fixtureNames("kernel/era").map { "era/\($0)" }

  private let scratch: Scratch
  private let packed: String
  private let output: String

  init() throws {
    scratch = try Scratch()
    packed = scratch.folder.appendingPathComponent("packed").path
    output = scratch.folder.appendingPathComponent("output").path
  }

  private func pack(_ input: String, _ options: String...) throws -> Shell.Result {
    try Program.run("thin_metadata_pack", ["-i", input, "-o", packed] + options)
  }

  private func unpack(_ options: String...) throws -> Shell.Result {
    try Program.run("thin_metadata_unpack", ["-i", packed, "-o", output] + options)
  }

  /// The image with zeroes in place of blocks that have no checksum of metadata.
  private func sound(_ image: Data) throws -> Data {
    let file = try BlockFile(scratch.file("sound", image), .read)
    var sound = Data()
    for block in 0..<file.blockCount {
      let kind = try file.withBlock(MetadataBlock(UInt32(block))) { BlockKind(of: $0) }
      let start = Int(block) * 4096
      sound += kind == nil ? Data(count: 4096) : image[start..<start + 4096]
    }
    return sound
  }

  @Test(arguments: images)
  func `every block of the kernel's metadata comes back`(name: String) throws {
    let image = try TestFiles.image(name)
    let wanted = try sound(image)
    let input = try scratch.file("image", image)
    var result = try pack(input)
    #expect(result.status == 0)
    #expect(result.output.isEmpty)
    result = try unpack()
    #expect(result.status == 0)
    #expect(result.said.isEmpty)
    #expect(try Images.bytes(output) == wanted)
    #expect(try pack(input, "--include-damaged", "-f").status == 0)
    #expect(try unpack("-f").status == 0)
    #expect(try Images.bytes(output) == image.prefix(image.count / 4096 * 4096))
  }

  @Test(.enabled(if: Peer.new.isThere, Peer.new.absence), arguments: images)
  func `version 1 reads what we pack, and we what it packs`(name: String) throws {
    let image = try TestFiles.image(name)
    let wanted = try sound(image)
    let input = try scratch.file("image", image)
    for options in [[], ["--include-damaged", "-f"]] {
      #expect(
        try Program.run(
          "thin_metadata_pack", ["-i", input, "-o", packed] + options
        ).status == 0)
      let theirs = scratch.folder.appendingPathComponent("theirs").path
      #expect(
        try Peer.new.run("thin_metadata_unpack", "-f", "-i", packed, "-o", theirs).status == 0)
      #expect(try Images.bytes(theirs) == wanted)
    }
    #expect(try Peer.new.run("thin_metadata_pack", "-f", "-i", input, "-o", packed).status == 0)
    #expect(try unpack().status == 0)
    let ours = try Images.bytes(output)
    // It loses blocks by chance, and adds none.
    #expect(ours.count == wanted.count)
    #expect(
      differingBlocks(ours, wanted).allSatisfy {
        ours[$0 * 4096..<$0 * 4096 + 4096] == Data(count: 4096)
      })
  }

  @Test(arguments: [1, 16, 127, 128, 129, 257, 1000])
  func `no block is lost of any size of device`(blocks: Int) throws {
    let image = try TestFiles.image("thin/thins").prefix(blocks * 4096)
    #expect(try pack(scratch.file("image", Data(image) + Data(count: 100))).status == 0)
    #expect(try unpack().status == 0)
    #expect(try Images.bytes(output) == sound(Data(image)))
  }

  @Test func `the same metadata makes the same file, small`() throws {
    let input = try Images.path("ext4")
    #expect(try pack(input).status == 0)
    let first = try Images.bytes(packed)
    #expect(try pack(input).status == 0)
    #expect(try Images.bytes(packed) == first)
    #expect(first.count < 100_000)
  }

  // MARK: Damage

  @Test func `broken metadata is as broken where it is unpacked`() throws {
    for how in ["leaf-bit", "superblock-bit"] {
      let broken = try scratch.broken("snapshots", how)
      let told = try Program.check(broken)
      #expect(told.status == 1)
      let result = try pack(broken, "--include-damaged", "-f")
      #expect(result.status == 0)
      #expect(result.errorText.hasPrefix("Packed with bad checksums, "))
      #expect(try unpack("-f").status == 0)
      #expect(try Images.bytes(output) == Images.bytes(broken))
      let again = try Program.check(output)
      #expect(again.status == told.status)
      #expect(again.output == told.output)
      #expect(
        again.errorText.replacingOccurrences(of: output, with: broken) == told.errorText)
    }
  }

  @Test func `damaged blocks that are left out are told`() throws {
    let broken = try scratch.broken("snapshots", "leaf-bit")
    let block = differingBlocks(
      try Images.bytes(broken), try Images.bytes(Images.path("snapshots")))
    #expect(block.count == 1)
    let result = try pack(broken)
    #expect(result.status == 0)
    #expect(
      result.errorText == "Left out, as checksums are bad: 1 block (\(block[0])). "
        + "With --include-damaged they are packed too.\n")
    #expect(try unpack().status == 0)
    #expect(try differingBlocks(Images.bytes(output), Images.bytes(broken)) == block)
  }

  @Test func `a lost superblock is told at both ends`() throws {
    let image = try scratch.copy("snapshots")
    try zero(block: 0, of: image)
    #expect(try pack(image).status == 0)
    let result = try unpack()
    #expect(result.status == 0)
    #expect(result.errorText.hasPrefix("Block 0, the superblock, is not in '\(packed)'"))
  }

  @Test func `a file that was cut anywhere is refused, and the output is as it was`() throws {
    #expect(try pack(scratch.broken("snapshots", "leaf-bit"), "--include-damaged").status == 0)
    let whole = try Images.bytes(packed)
    _ = try scratch.file("output", Data("precious".utf8))
    // Where a record ends, and elsewhere.
    var ends: [Int] = [32, 33, 40, whole.count - 1]
    var place = 32
    while place < whole.count {
      let length = whole[place..<place + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      place += 8 + length
      ends.append(place)
    }
    #expect(ends.last == whole.count)
    for end in ends.dropLast() {
      // A header alone is what version 1 makes of small devices.
      if end == 32 { continue }
      _ = try scratch.file("packed", whole.prefix(end))
      let result = try unpack("-f")
      #expect(result.status == 1, "\(end)")
      #expect(result.errorText.hasPrefix("thin_metadata_unpack: '\(packed)' is damaged: "))
      #expect(try Images.bytes(output) == Data("precious".utf8))
      try FileManager.default.removeItem(atPath: output)
      #expect(try unpack().status == 1)
      #expect(!FileManager.default.fileExists(atPath: output))
      _ = try scratch.file("output", Data("precious".utf8))
    }
  }

  // MARK: Outputs and inputs

  /// Loop devices can be made by root alone, and not in every container.
  @Test func `a device gets what a file would, or stays as it is`() throws {
    let image = try Images.bytes(Images.path("snapshots"))
    #expect(try pack(Images.path("snapshots")).status == 0)
    for (size, status) in [(image.count, 0), (image.count + 8192, 0), (image.count - 4096, 73)] {
      let before = Data(repeating: 0x55, count: size)
      let file = try scratch.file("device", before)
      let result = try Program.script(
        """
        device=$(losetup -f --show "$1" 2> /dev/null) || exit 77
        $dmmeta thin_metadata_unpack -q --force -i "$2" -o "$device"
        status=$?
        losetup -d "$device"
        exit $status
        """, file, packed)
      if result.status == 77 { return }
      #expect(result.status == Int32(status), "\(size) bytes: \(result.errorText)")
      let expected = status == 0 ? image + before.suffix(size - image.count) : before
      #expect(try Images.bytes(file) == expected, "\(size) bytes")
    }
  }

  @Test func `metadata is overwritten when whoever is asked says so`() throws {
    let image = try Images.bytes(Images.path("fresh"))
    #expect(try pack(Images.path("snapshots")).status == 0)
    for (answer, isOverwritten) in [("n\n", false), ("", false), ("y\n", true), ("YES\n", true)] {
      _ = try scratch.file("output", image)
      let result = try Shell.run(
        Program.path, ["thin_metadata_unpack", "-i", packed, "-o", output],
        input: Data(answer.utf8))
      #expect(result.status == (isOverwritten ? 0 : 73))
      #expect(
        result.errorText.hasPrefix(
          "'\(output)' holds the metadata of a thin pool. Overwrite it? [y/n] "))
      #expect(try (Images.bytes(output) != image) == isOverwritten)
    }
    _ = try scratch.file("output", image)
    #expect(try unpack("-q").status == 73)
    #expect(try Images.bytes(output) == image)
    #expect(try unpack("--force").status == 0)
    #expect(try Images.bytes(output) == Images.bytes(Images.path("snapshots")))
  }

  @Test func `input and output are not the same`() throws {
    let image = try scratch.copy("fresh")
    let link = scratch.folder.appendingPathComponent("link").path
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: image)
    for name in [image, link] {
      let result = try Program.run("thin_metadata_pack", ["-f", "-i", image, "-o", name])
      #expect(result.status == 73)
      #expect(
        result.errorText == "thin_metadata_pack: output refused: it would overwrite '\(image)'\n")
    }
    #expect(try Images.bytes(image) == Images.bytes(Images.path("fresh")))
    #expect(try pack(image).status == 0)
    let bytes = try Images.bytes(packed)
    let result = try Program.run("thin_metadata_unpack", ["-f", "-i", packed, "-o", packed])
    #expect(result.status == 73)
    #expect(try Images.bytes(packed) == bytes)
  }

  @Test func `what holds no metadata is not packed, and the output stays`() throws {
    _ = try scratch.file("packed", Data("precious".utf8))
    var random = SeededRandom()
    let noise = Data((0..<100_000).map { _ in random.number(0...255) as UInt8 })
    let inputs = [
      "noise": noise, "zeroes": Data(count: 100_000),
      "disk": Data(count: 510) + [0x55, 0xAA] + noise,
    ]
    for (name, bytes) in inputs {
      let input = try scratch.file(name, bytes)
      for options in [[], ["--include-damaged"]] {
        let result = try Program.run(
          "thin_metadata_pack", ["-i", input, "-o", packed] + options)
        #expect(result.status == 65, "\(name)")
        #expect(result.errorText.contains(input))
        #expect(try Images.bytes(packed) == Data("precious".utf8))
      }
    }
  }

  @Test func `what is not packed is named`() throws {
    let names = [
      try Images.path("fresh"): "this is the metadata of a thin pool; it isn't packed",
      try scratch.file("x.gz", Data([0x1F, 0x8B, 8]) + Data(count: 5000)): "this is a gzip file",
      try scratch.file("tiny", Data([1, 2, 3])): "is not packed metadata\n",
    ]
    for (path, words) in names {
      let result = try Program.run("thin_metadata_unpack", ["-i", path, "-o", output])
      #expect(result.status == 65)
      #expect(result.errorText.contains(words), "\(result.errorText)")
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }

  @Test func `a pipe is no packed file, and nobody waits for it`() throws {
    let result = try Program.script(
      "mkfifo $1; exec timeout 60 $dmmeta thin_metadata_unpack -i $1 -o $2", packed, output)
    #expect(result.status == 65)
    #expect(result.errorText == "thin_metadata_unpack: '\(packed)' is no regular file\n")
  }
}

extension Shell.Result {
  fileprivate var said: String { text + errorText }
}
