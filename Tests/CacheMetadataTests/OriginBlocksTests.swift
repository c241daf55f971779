import CacheMetadata
import PersistentData
import TestSupport
import Testing

/// Origin blocks that several cache blocks hold, beside a plain set.
@Suite struct OriginBlocksTests {
  private static let cacheBlocks = 3000

  /// Of a large origin many blocks share what they are told apart by at first.
  @Test(arguments: [3000, 1 << 20, 1 << 44] as [UInt64])
  func `every block that is held twice is reported, and no other`(originBlocks: UInt64) throws {
    var random = SeededRandom()
    var shape = CacheShape()
    shape.cacheBlocks = UInt32(Self.cacheBlocks)
    shape.originBlocks = originBlocks
    shape.residentPerMillion = 1_000_000
    shape.seed = random.next()
    let scratch = try Scratch()
    let path = try scratch.blank("cache", bytes: 4 << 20)
    let file = try BlockFile(path, .write)
    try CacheGenerator(shape).write(through: CacheRestorer(file))
    let (cache, reader) = try RecordedCache.of(path)
    let array = try #require(reader.mappings)
    var origins = cache.mappings.sorted { $0.key < $1.key }.map(\.value.originBlock)
    #expect(origins.count == Self.cacheBlocks)
    for _ in 0..<random.number(1...60) {
      let (from, to) = (random.number(0..<origins.count), random.number(0..<origins.count))
      origins[to] = origins[from]
      let perBlock = array.shape.valuesPerBlock
      let block = try #require(array.blocks[to / perBlock])
      try file.editBlock(block, sealedAs: .array) { bytes in
        bytes[ArrayBlock.field(to % perBlock)] = origins[from] << 16 | 1
      }
    }
    var seen: Set<UInt64> = []
    let expected = origins.count { !seen.insert($0).inserted }
    let counts = CacheReport(of: try BlockFile(path, .read)).findings.counts
    #expect(counts[.originBlockMappedTwice, default: 0] == expected, "SEED=\(random.seed)")
  }
}
