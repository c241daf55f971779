import CacheMetadata
import Foundation
import PersistentData
import TestSupport
import Testing

/// What a repair brings back of a cache of which one block is lost, beside what a kernel wrote.
@Suite struct CacheSalvageTests {
  private static let images = TestFiles.fixtureNames("kernel/cache")
  /// In these nothing else tells the order of full blocks of mappings, when their index is lost.
  private static let unordered = [
    "cache-first-crash", "cache-grown", "cache-large", "cache-needs-check", "cache-shrunk",
  ]

  /// What has to be so whatever is lost: nothing is wrong, nothing dirty is clean, and nothing is
  /// missing that isn't said to be.
  private func expect(
    _ found: RecordedCache, _ salvage: CacheSalvage, toComeFrom cache: RecordedCache,
    losing lost: ClosedRange<UInt64>?, isOrderKnown: Bool, _ what: Comment
  ) {
    #expect(found.header == cache.header, what)
    for (cacheBlock, mapping) in found.mappings {
      let before = cache.mappings[cacheBlock]
      #expect(mapping.originBlock == before?.originBlock, what)
      #expect(mapping.isDirty || before?.isDirty == false, what)
    }
    let missing = Set(cache.mappings.keys).subtracting(found.mappings.keys)
    #expect(!isOrderKnown || missing.allSatisfy { lost?.contains($0) ?? false }, what)
    #expect(
      missing.allSatisfy { block in
        salvage.outcome.lost.contains { $0.contains(block) }
      }, what)
    #expect(salvage.outcome.kept == found.mappings.count, what)
    if isOrderKnown { #expect(salvage.outcome.losesNothing == (lost == nil), what) }
    #expect(missing.isEmpty || !salvage.outcome.losesNothing, what)
    for (cacheBlock, hint) in found.hints { #expect(cache.hints[cacheBlock] == hint, what) }
  }

  @Test(arguments: images)
  func `each block alone can be lost`(name: String) throws {
    var random = SeededRandom(usually: 1)
    let image = try EditableImage(kernel: "cache/\(name)")
    let (cache, reader) = try RecordedCache.of(image.path)
    let sound = try image.bytes
    for block in try spaceMap(image).blocksInUse.shuffled(using: &random).prefix(40) {
      let damage = BlockDamage.allCases[random.number(0..<BlockDamage.allCases.count)]
      let what: Comment = "\(name), block \(block), \(damage), SEED=\(random.seed)"
      try sound.write(to: URL(fileURLWithPath: image.path))
      try damage.strike(block, of: image.open(.write), &random)
      let (found, salvage) = try RecordedCache.salvaged(image.path)
      let mappings = try #require(reader.mappings)
      let place = damage == .flippedBit ? nil : mappings.blocks.firstIndex(of: block)
      let lost = place.map { mappings.range(ofBlock: $0) }
      let isNode = try reader.file.withBlock(block) { BlockKind(of: $0) } == nil && place == nil
      expect(
        found, salvage, toComeFrom: cache,
        losing: lost.map { $0.lowerBound...$0.upperBound - 1 },
        isOrderKnown: !isNode || !Self.unordered.contains(name), what)
      try expectSoundOutput(salvage, as: found, in: image.scratch, what)
    }
  }

  private func expectSoundOutput(
    _ salvage: CacheSalvage, as found: RecordedCache, in scratch: Scratch, _ what: Comment
  ) throws {
    let output = try scratch.blank("output", bytes: 4 << 20)
    try salvage.restore(to: BlockFile(output, .write))
    let check = CacheReport(of: try BlockFile(output, .read))
    #expect(check.findings.isEmpty, what)
    #expect(check.superblock?.version == salvage.version, what)
    var written = try RecordedCache.of(output).cache
    // Without hints there is no size of them.
    if written.hints.isEmpty { written.header?.hintSize = found.header?.hintSize ?? 0 }
    // A hint that is lost is 0 in the new array.
    written.hints = written.hints.filter { found.hints[$0.key] != nil || $0.value != 0 }
    #expect(written == found, what)
  }

  @Test(arguments: images)
  func `sound metadata comes back as a dump says it`(name: String) throws {
    let image = try EditableImage(kernel: "cache/\(name)")
    let (found, salvage) = try RecordedCache.salvaged(image.path)
    #expect(try found == RecordedCache.of(image.path).cache)
    #expect(salvage.isWhole)
    #expect(salvage.findings.worst != .error)
  }

  @Test func `an output that is too small is left as it is`() throws {
    let image = try EditableImage(kernel: "cache/cache-v2")
    let salvage = try RecordedCache.salvaged(image.path).salvage
    let content = Data(repeating: 0xA5, count: 3 * MetadataBlock.size)
    let output = try image.scratch.file("small", content)
    let error = #expect(throws: WriteError.self) {
      try salvage.restore(to: BlockFile(output, .write))
    }
    guard case .outputTooSmall(let needed, let available) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(needed > 3 && available == 3)
    #expect(try Data(contentsOf: URL(fileURLWithPath: output)) == content)
  }

  /// Of values in an array nobody has a second copy, so one that is possible and doesn't contradict
  /// another can't be told from the right one.
  @Test(arguments: images)
  func `of a block that lies nothing dirty is lost in silence`(name: String) throws {
    var random = SeededRandom(usually: 1)
    let image = try EditableImage(kernel: "cache/\(name)")
    let (cache, reader) = try RecordedCache.of(image.path)
    let sound = try image.bytes
    let blocks = try spaceMap(image).blocksInUse
    let copy = try image.scratch.file("copy", sound)
    let source = try LieSource(BlockFile(copy, .read), inUse: blocks)
    let values = Set([reader.mappings, reader.dirtyBits].compactMap { $0?.blocks }.joined())
    let dirty = cache.mappings.values.filter(\.isDirty)
    let others = (blocks + [.superblock]).filter { !values.contains($0) }
    for block in others.shuffled(using: &random).prefix(40) {
      for lie in SealedLie.allCases {
        try sound.write(to: URL(fileURLWithPath: image.path))
        guard try source.put(lie, into: block, of: image.open(.write), &random) else { continue }
        let what: Comment = "\(name), block \(block), \(lie), SEED=\(random.seed)"
        let found: RecordedCache
        let salvage: CacheSalvage
        // A superblock that makes no sense is refused, which is no silence.
        do { (found, salvage) = try RecordedCache.salvaged(image.path) } catch { continue }
        if salvage.outcome.losesNothing, !isFlagAlone(image, reader.superblock) {
          let kept = Set(found.mappings.values.filter(\.isDirty))
          #expect(kept.isSuperset(of: dirty), what)
        }
        for (cacheBlock, mapping) in found.mappings {
          #expect(mapping.originBlock == cache.mappings[cacheBlock]?.originBlock, what)
        }
      }
    }
  }

  /// Whether the clean flag is all that is wrong: then it is believed.
  private func isFlagAlone(_ image: EditableImage, _ before: CacheSuperblock) -> Bool {
    guard let file = try? image.open(),
      let superblock = try? file.withBlock(.superblock, { CacheSuperblock($0) })
    else { return false }
    return superblock.flags != before.flags
  }

  @Test(arguments: images)
  func `without a superblock the mappings come back, all of them dirty`(name: String) throws {
    let image = try EditableImage(kernel: "cache/\(name)")
    let cache = try RecordedCache.of(image.path).cache
    try image.clear(.superblock)
    var overrides = CacheOverrides()
    #expect(throws: CacheSalvageError.self) { try RecordedCache.salvaged(image.path, overrides) }
    overrides.dataBlockSectors = cache.header?.dataBlockSectors
    if name == "cache-grown" {
      // Two states may be the newest, of caches of different sizes: LVM has to say of which.
      let error = #expect(throws: CacheSalvageError.self) {
        try RecordedCache.salvaged(image.path, overrides)
      }
      guard case .numbersMissing([.cacheBlockCount]) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      overrides.cacheBlockCount = cache.header?.cacheBlockCount
    }
    let (found, salvage) = try RecordedCache.salvaged(image.path, overrides)
    #expect(found.hints.isEmpty)
    #expect(!found.mappings.values.contains { !$0.isDirty })
    #expect(!salvage.isCleanShutdown)
    for (cacheBlock, mapping) in found.mappings {
      #expect(mapping.originBlock == cache.mappings[cacheBlock]?.originBlock)
    }
    #expect(salvage.outcome.otherStates == 0)
    #expect(found.header?.dataBlockSectors == cache.header?.dataBlockSectors)
    #expect(found.header?.cacheBlockCount == cache.header?.cacheBlockCount)
    #expect(found.mappings.count == cache.mappings.count)
    // Before the first clean end a cache has no policy's name.
    if cache.header?.policy != "" { #expect(found.header == cache.header) }
  }

  /// What was in use once leaves blocks behind: then no empty state is taken for the newest.
  @Test func `a cache that was used isn't taken for one that never was`() throws {
    let image = try EditableImage(kernel: "cache/cache-formatted")
    let mappings = try EditableImage(kernel: "cache/cache-v2")
    let block = try #require(RecordedCache.of(mappings.path).reader.mappings?.blocks[0])
    try image.clear(.superblock)
    var overrides = CacheOverrides()
    overrides.dataBlockSectors = 128
    let (found, salvage) = try RecordedCache.salvaged(image.path, overrides)
    #expect(found.mappings.isEmpty && salvage.outcome.losesNothing)
    let count = try image.open().blockCount
    let free = MetadataBlock(UInt32(count - 1))
    let words = try mappings.open().withBlock(block) { bytes in
      (0..<MetadataBlock.size / 8).map { bytes[Field<UInt64>(at: 8 * $0)] }
    }
    try image.edit(free, .array) { bytes in
      for (index, word) in words.enumerated() { bytes[Field<UInt64>(at: 8 * index)] = word }
      bytes[ArrayBlock.Layout.block] = UInt64(free.number)
    }
    #expect(throws: CacheSalvageError.self) { try RecordedCache.salvaged(image.path, overrides) }
  }

  @Test func `a superblock with another number of blocks loses none`() throws {
    let image = try EditableImage(kernel: "cache/cache-v2")
    let cache = try RecordedCache.of(image.path).cache
    for count in [0, 1, 512, 1023, 1025, 1 << 30] as [UInt32] {
      try image.edit(.superblock, .cacheSuperblock) {
        $0[CacheSuperblock.Layout.cacheBlockCount] = count
      }
      let (found, salvage) = try RecordedCache.salvaged(image.path)
      #expect(Set(found.mappings.keys) == Set(cache.mappings.keys), "\(count)")
      #expect(salvage.outcome.cacheBlocksBefore == count)
    }
  }

  @Test func `two cache blocks of one origin block are both left out, and named`() throws {
    let image = try EditableImage(kernel: "cache/cache-v2")
    let (cache, reader) = try RecordedCache.of(image.path)
    let (first, second) = try #require(
      zip(
        cache.mappings.keys.sorted().filter { $0 < 509 },
        cache.mappings.keys.sorted().filter { $0 < 509 }.dropFirst()
      ).first { _ in true })
    let block = try #require(reader.mappings?.blocks.first ?? nil)
    try image.edit(block, .array) { bytes in
      let value: UInt64 = bytes[ArrayBlock.field(Int(first))]
      bytes[ArrayBlock.field(Int(second))] = value
    }
    let (found, salvage) = try RecordedCache.salvaged(image.path)
    #expect(found.mappings[first] == nil && found.mappings[second] == nil)
    #expect(found.mappings.count == cache.mappings.count - 2)
    #expect(salvage.outcome.contested.flatMap { Array($0) } == [first, second])
    #expect(!salvage.outcome.losesNothing)
  }

  /// Old leaves of the index name blocks that have been written again since, for other places.
  @Test func `whatever came before, no mapping is wrong when the index is lost`() throws {
    var random = SeededRandom(usually: 4)
    let scratch = try Scratch()
    var shape = CacheShape()
    shape.cacheBlocks = 6 * 509
    var (known, histories) = (0, 80)
    for _ in 0..<histories {
      let what: Comment = "SEED=\(random.seed)"
      let path = try scratch.blank("cache", bytes: random.number(60..<120) * MetadataBlock.size)
      try CacheGenerator(shape).write(through: CacheRestorer(BlockFile(path, .write)))
      // After a crash, nothing but the array tells which cache blocks are in use.
      try BlockFile(path, .write).editBlock(.superblock, sealedAs: .cacheSuperblock) { bytes in
        bytes[CacheSuperblock.Layout.flags] = 0
      }
      let (_, reader) = try RecordedCache.of(path)
      let map = try spaceMap(path)
      var history = try ArrayHistory<UInt64>(
        BlockFile(path, .write),
        leaf: #require(MetadataBlock(pointer: reader.superblock.mappingRoot, count: 256)),
        inUse: map.blocksInUse, values: Array(repeating: Array(repeating: 0, count: 509), count: 6))
      var origin: UInt64 = 0
      let rare = [3, 30, 300].randomElement(using: &random) ?? 3
      try history.live(&random) { random, old in
        old.map { value in
          if random.number(0..<rare) > 0 { return value }
          origin += 1
          return random.number(0..<8) == 0 ? 0 : origin << 16 | 1
        }
      }
      let bitmap = try #require(map.entries.first ?? nil).block
      try history.finish(
        root: CacheSuperblock.Layout.mappingRoot, .cacheSuperblock,
        bitmap: MetadataBlock(UInt32(bitmap)))
      let cache = try RecordedCache.of(path).cache
      #expect(cache.mappings.count == history.values.joined().count { $0 != 0 }, what)
      try EditableImage.clear(block: UInt64(history.leaf.number), of: path)
      let (found, salvage) = try RecordedCache.salvaged(path)
      let isWrong = found.mappings.contains { cacheBlock, mapping in
        mapping.originBlock != cache.mappings[cacheBlock]?.originBlock
      }
      #expect(!isWrong, what)
      #expect(salvage.outcome.losesNothing == (found.mappings.count == cache.mappings.count), what)
      known += salvage.outcome.losesNothing ? 1 : 0
    }
    #expect(known > histories / 3)
  }

  private func spaceMap(_ image: EditableImage) throws -> StoredSpaceMap {
    try spaceMap(image.path)
  }

  private func spaceMap(_ path: String) throws -> StoredSpaceMap {
    let (_, reader) = try RecordedCache.of(path)
    var usage = BlockUsage(blockCount: reader.file.blockCount)
    var findings = Findings()
    return StoredSpaceMap(
      CacheReader.Structure.metadataSpaceMap, root: reader.superblock.metadataSpaceMap,
      index: .block, in: reader.file, usage: &usage, findings: &findings)
  }
}
