import CacheMetadata
import PersistentData
import TestSupport
import Testing

/// Origin blocks that several cache blocks hold, beside a plain set.
@Suite struct OriginBlocksTests {
  private static let cacheBlocks = 3000

  /// A cache whose blocks all hold something, and its file.
  private func cache(
    originBlocks: UInt64, seed: UInt64, in scratch: Scratch
  ) throws -> (file: BlockFile, array: StoredArray, origins: [UInt64]) {
    var shape = CacheShape()
    shape.cacheBlocks = UInt32(Self.cacheBlocks)
    shape.originBlocks = originBlocks
    shape.residentPerMillion = 1_000_000
    shape.seed = seed
    let path = try scratch.blank("cache", bytes: 4 << 20)
    let file = try BlockFile(path, .write)
    try CacheGenerator(shape).write(through: CacheRestorer(file))
    let (cache, reader) = try RecordedCache.of(path)
    let origins = cache.mappings.sorted { $0.key < $1.key }.map(\.value.originBlock)
    #expect(origins.count == Self.cacheBlocks)
    return (file, try #require(reader.mappings), origins)
  }

  private func map(
    _ cacheBlock: Int, to origin: UInt64, _ array: StoredArray, in file: BlockFile
  ) throws {
    let perBlock = array.shape.valuesPerBlock
    let block = try #require(array.blocks[cacheBlock / perBlock])
    try file.editBlock(block, sealedAs: .array) { bytes in
      bytes[ArrayBlock.field(cacheBlock % perBlock)] = origin << 16 | 1
    }
  }

  /// How many blocks are reported, and how many have to be.
  private func expectReported(_ origins: [UInt64], in file: BlockFile, _ comment: Comment) {
    var seen: Set<UInt64> = []
    let expected = origins.count { !seen.insert($0).inserted }
    let counts = CacheReport(of: file).findings.counts
    #expect(counts[.originBlockMappedTwice, default: 0] == expected, comment)
  }

  @Test(arguments: [3000, 1 << 20, 1 << 44] as [UInt64])
  func `every block that is held twice is reported, and no other`(originBlocks: UInt64) throws {
    var random = SeededRandom()
    let scratch = try Scratch()
    var (file, array, origins) = try cache(
      originBlocks: originBlocks, seed: random.next(), in: scratch)
    for _ in 0..<random.number(1...60) {
      let (from, to) = (random.number(0..<origins.count), random.number(0..<origins.count))
      origins[to] = origins[from]
      try map(to, to: origins[to], array, in: file)
    }
    expectReported(origins, in: file, "SEED=\(random.seed)")
  }

  /// More than are noted at once, so that workers hand on what they have noted.
  @Test func `of millions of blocks those that are held twice are reported`() throws {
    var random = SeededRandom()
    let scratch = try Scratch()
    var shape = CacheShape()
    shape.cacheBlocks = 5_000_000
    shape.originBlocks = 1 << 27
    shape.residentPerMillion = 1_000_000
    shape.seed = random.next()
    let file = try BlockFile(try scratch.blank("large", bytes: 96 << 20), .write)
    try CacheGenerator(shape).write(through: CacheRestorer(file))
    let superblock = try file.withBlock(.superblock) { CacheSuperblock($0) }
    let array = try #require(CacheReader(file, superblock, findings: Findings()).mappings)
    // Every block is one of a pair at most.
    var blocks: Set<Int> = []
    while blocks.count < 40 { blocks.insert(random.number(0..<Int(shape.cacheBlocks))) }
    let pairs = Array(blocks)
    for (from, to) in zip(pairs[..<20], pairs[20...]) {
      let block = try #require(array.blocks[from / array.shape.valuesPerBlock])
      let value: UInt64 = try file.withBlock(block) {
        ArrayBlock($0).value(from % array.shape.valuesPerBlock)
      }
      try map(to, to: CacheMapping(value).originBlock, array, in: file)
    }
    let counts = CacheReport(of: file).findings.counts
    #expect(counts[.originBlockMappedTwice, default: 0] == 20, "SEED=\(random.seed)")
  }

  /// The lowest bits are what they are told apart by at first.
  @Test func `origin blocks that differ in their highest bits alone are told apart`() throws {
    var random = SeededRandom()
    let scratch = try Scratch()
    var (file, array, origins) = try cache(
      originBlocks: 1 << 44, seed: random.next(), in: scratch)
    let lowest = random.number(0..<UInt64(1 << 32))
    for cacheBlock in origins.indices {
      origins[cacheBlock] = random.number(0..<UInt64(1 << 12)) << 32 | lowest
      try map(cacheBlock, to: origins[cacheBlock], array, in: file)
    }
    expectReported(origins, in: file, "SEED=\(random.seed)")
  }
}
