import Foundation
import TestSupport
import Testing

/// cache_writeback against a plain model: what has to be in the origin, byte for byte.
@Suite struct CacheWritebackTests {
  private static let blockBytes = 64 * 512
  private static let cacheBlocks = 200
  private static let originBlocks = 400

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A cache whose mappings are chosen at random.
  private struct Model {
    /// By cache block: the origin block, and whether it is dirty.
    var mappings: [Int: (origin: Int, isDirty: Bool)] = [:]

    init(seed: UInt64) {
      var random = SeededRandom(seed: seed)
      var origins = Array(0..<originBlocks)
      for block in 0..<cacheBlocks where random.next() % 10 < 7 {
        let origin = origins.remove(at: Int(random.next() % UInt64(origins.count)))
        mappings[block] = (origin, random.next() % 10 < 4)
      }
    }

    var xml: Data {
      let lines = mappings.sorted { $0.key < $1.key }.map {
        "<mapping cache_block=\"\($0.key)\" origin_block=\"\($0.value.origin)\" "
          + "dirty=\"\($0.value.isDirty)\"/>\n"
      }
      return Data(
        ("<superblock uuid=\"\" block_size=\"64\" nr_cache_blocks=\"\(cacheBlocks)\" "
          + "policy=\"smq\" hint_width=\"4\"><mappings>\n" + lines.joined()
          + "</mappings></superblock>\n").utf8)
    }
  }

  private static func filled(_ blocks: Int, _ tag: UInt8, after offset: Int = 0) -> Data {
    var data = Data(repeating: tag, count: offset)
    for block in 0..<blocks {
      data.append(Data([tag, UInt8(block & 255), UInt8(block >> 8)]))
      data.append(Data(repeating: tag ^ UInt8(block & 255), count: blockBytes - 3))
    }
    return data
  }

  private func metadata(_ model: Model, _ options: [String]) throws -> String {
    let path = try scratch.blank("metadata", bytes: 4 << 20)
    let result = try Program.run(
      "cache_restore", ["-i", scratch.file("xml", model.xml), "-o", path] + options)
    try #require(result.status == 0, "\(result.errorText)")
    return path
  }

  private func arguments(_ metadata: String, _ origin: String, _ fast: String) -> [String] {
    ["--metadata-device", metadata, "--origin-device", origin, "--fast-device", fast]
  }

  private func dirty(_ metadata: String) throws -> Set<Int> {
    let text = try Program.run("cache_dump", [metadata]).text
    return Set(
      text.matches(of: /cache_block="(\d+)" origin_block="\d+" dirty="true"/).compactMap {
        Int($0.output.1)
      })
  }

  @Test(arguments: [["--metadata-version", "1"], [], ["--omit-clean-shutdown"]])
  func `the origin has all that was dirty, and nothing else changes`(options: [String]) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    let model = Model(seed: seed)
    let metadata = try metadata(model, options)
    let fastBytes = Self.filled(Self.cacheBlocks, 0xF0, after: 512)
    let originBytes = Self.filled(Self.originBlocks, 0x0F, after: 1024)
    let fast = try scratch.file("fast", fastBytes)
    let origin = try scratch.file("origin", originBytes)
    var expected = originBytes
    var count = 0
    let isClean = !options.contains("--omit-clean-shutdown")
    for (block, mapping) in model.mappings where mapping.isDirty || !isClean {
      count += 1
      let (from, to) = (512 + block * Self.blockBytes, 1024 + mapping.origin * Self.blockBytes)
      expected.replaceSubrange(
        to..<to + Self.blockBytes, with: fastBytes[from..<from + Self.blockBytes])
    }
    let words =
      arguments(metadata, origin, fast)
      + ["--fast-device-offset", "1", "--origin-device-offset", "2", "--buffer-size-meg", "1"]
    let before = try Images.bytes(metadata)
    let trial = try Program.run("cache_writeback", words + ["--dry-run"])
    #expect(trial.status == 0)
    #expect(trial.text.hasPrefix("\(count) dirty blocks"))
    #expect(try Images.bytes(origin) == originBytes)
    let left = try Program.run("cache_writeback", words + ["--no-metadata-update"])
    #expect(left.status == 0)
    #expect(try Images.bytes(metadata) == before)
    #expect(try Images.bytes(origin) == expected)
    let result = try Program.run("cache_writeback", words)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.text == "\(count)/\(count) blocks successfully copied\n")
    #expect(try Images.bytes(origin) == expected)
    #expect(try Images.bytes(fast) == fastBytes)
    #expect(try Program.run("cache_check", [metadata]).status == 0)
    // What says whether blocks are dirty isn't believed after an unclean end.
    #expect(try dirty(metadata).isEmpty == isClean)
  }

  @Test func `what can't be copied is listed and stays dirty, the rest is copied`() throws {
    let model = Model(seed: 17)
    let metadata = try metadata(model, [])
    let fast = try scratch.file("fast", Self.filled(Self.cacheBlocks - 50, 0xF0))
    let origin = try scratch.file("origin", Self.filled(Self.originBlocks - 100, 0x0F))
    let isLost = { (block: Int) in
      block >= Self.cacheBlocks - 50
        || (model.mappings[block]?.origin ?? 0) >= Self.originBlocks - 100
    }
    let dirtyBefore = try dirty(metadata)
    let lost = dirtyBefore.filter(isLost)
    #expect(!lost.isEmpty && lost.count < dirtyBefore.count)
    let result = try Program.run(
      "cache_writeback",
      arguments(metadata, origin, fast) + ["--list-failed-blocks", "--retry-count", "2"])
    #expect(result.status == 74)
    #expect(result.text.contains("\(lost.count) blocks were not copied\n"))
    let listed = result.text.matches(of: #/cache block (\d+),/#).compactMap { Int($0.output.1) }
    #expect(Set(listed) == lost)
    #expect(try dirty(metadata) == lost)
    #expect(try Images.bytes(origin).count == (Self.originBlocks - 100) * Self.blockBytes)
  }

  /// Times the size of a block its number is 2^64 bytes: as a plain product, the first byte.
  @Test func `a block beyond any device is never written to its beginning`() throws {
    let xml = """
      <superblock uuid="" block_size="2097152" nr_cache_blocks="1" policy="smq" hint_width="4">
      <mappings><mapping cache_block="0" origin_block="\(1 << 34)" dirty="true"/></mappings>
      </superblock>
      """
    let metadata = try scratch.blank("metadata", bytes: 4 << 20)
    let restored = try Program.run(
      "cache_restore", ["-i", scratch.file("xml", Data(xml.utf8)), "-o", metadata])
    try #require(restored.status == 0, "\(restored.errorText)")
    let fast = try scratch.file("fast", Data(repeating: 0xF0, count: 1 << 20))
    let origin = try scratch.file("origin", Data(repeating: 0x0F, count: 1 << 20))
    #expect(truncate(fast, 1 << 30) == 0)
    #expect(truncate(origin, 1 << 30) == 0)
    for offset in ["0", "\(1 << 53)"] {
      let result = try Program.run(
        "cache_writeback",
        arguments(metadata, origin, fast)
          + ["--fast-device-offset", offset, "--origin-device-offset", offset])
      #expect(result.status == 74, "\(result.errorText)")
      #expect(result.text.hasPrefix("0/1 blocks successfully copied"))
      #expect(try dirty(metadata) == [0])
    }
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: origin))
    #expect(try handle.read(upToCount: 1 << 20) == Data(repeating: 0x0F, count: 1 << 20))
  }

  @Test func `damaged metadata, and two devices in one, are refused`() throws {
    let metadata = try metadata(Model(seed: 18), [])
    let fast = try scratch.file("fast", Self.filled(Self.cacheBlocks, 0xF0))
    let originBytes = Self.filled(Self.originBlocks, 0x0F)
    let origin = try scratch.file("origin", originBytes)
    for words in [
      arguments(metadata, origin, origin), arguments(metadata, metadata, fast),
      arguments(metadata, origin, metadata),
    ] {
      #expect(try Program.run("cache_writeback", words).status == 73)
    }
    var bytes = try Images.bytes(metadata)
    // Some block beyond the superblock.
    for block in 1..<20 { bytes[block * 4096 + 100] ^= 1 }
    try bytes.write(to: URL(fileURLWithPath: metadata))
    let result = try Program.run("cache_writeback", arguments(metadata, origin, fast))
    #expect(result.status == 1)
    #expect(result.errorText.contains("cache_repair"))
    #expect(try Images.bytes(origin) == originBytes)
    #expect(try Images.bytes(metadata) == bytes)
  }

  @Test func `killed at any time and started again it ends with the same`() throws {
    let model = Model(seed: 19)
    let metadata = try metadata(model, ["--metadata-version", "1"])
    let fastBytes = Self.filled(Self.cacheBlocks, 0xF0)
    let fast = try scratch.file("fast", fastBytes)
    let origin = try scratch.file("origin", Self.filled(Self.originBlocks, 0x0F))
    for delay in ["0.001", "0.003", "0.006", "0.01", "0.02"] {
      _ = try Program.script(
        """
        $dmmeta cache_writeback --metadata-device "$1" --origin-device "$2" --fast-device "$3" \
          >/dev/null 2>&1 &
        sleep \(delay); kill -9 $!; wait $!; true
        """, metadata, origin, fast)
    }
    #expect(try Program.run("cache_writeback", arguments(metadata, origin, fast)).status == 0)
    let bytes = try Images.bytes(origin)
    for (block, mapping) in model.mappings where mapping.isDirty {
      let (from, to) = (block * Self.blockBytes, mapping.origin * Self.blockBytes)
      #expect(
        bytes[to..<to + Self.blockBytes] == fastBytes[from..<from + Self.blockBytes], "\(block)")
    }
    #expect(try dirty(metadata).isEmpty)
  }
}
