import CacheMetadata
import Foundation
import PersistentData
import TestSupport
import Testing

/// What a repair brings back of a cache of which one block is lost, beside what a kernel wrote.
@Suite struct CacheSalvageTests {
  private static let images = TestFiles.fixtureNames("kernel/cache")

  /// What has to be so whatever is lost: nothing is wrong, nothing dirty is clean, and nothing is
  /// missing that isn't said to be.
  private func expect(
    _ found: RecordedCache, _ salvage: CacheSalvage, toComeFrom cache: RecordedCache,
    losing lost: ClosedRange<UInt64>?, _ what: Comment
  ) {
    #expect(found.header == cache.header, what)
    for (cacheBlock, mapping) in found.mappings {
      let before = cache.mappings[cacheBlock]
      #expect(mapping.originBlock == before?.originBlock, what)
      #expect(mapping.isDirty || before?.isDirty == false, what)
    }
    let missing = Set(cache.mappings.keys).subtracting(found.mappings.keys)
    #expect(missing.allSatisfy { lost?.contains($0) ?? false }, what)
    #expect(
      missing.allSatisfy { block in
        salvage.outcome.lost.contains { $0.contains(block) }
      }, what)
    #expect(salvage.outcome.kept == found.mappings.count, what)
    #expect(salvage.outcome.isWhole == (lost == nil), what)
    for (cacheBlock, hint) in found.hints { #expect(cache.hints[cacheBlock] == hint, what) }
  }

  @Test(arguments: images)
  func `each block alone can be lost`(name: String) throws {
    var random = SeededRandom()
    let image = try EditableImage(kernel: "cache/\(name)")
    let (cache, reader) = try RecordedCache.of(image.path)
    let sound = try image.bytes
    for block in try spaceMap(image).blocksInUse {
      let damage = BlockDamage.allCases[random.number(0..<BlockDamage.allCases.count)]
      let what: Comment = "\(name), block \(block), \(damage), SEED=\(random.seed)"
      try sound.write(to: URL(fileURLWithPath: image.path))
      try damage.strike(block, of: image.open(.write), &random)
      let (found, salvage) = try RecordedCache.salvaged(image.path)
      let mappings = try #require(reader.mappings)
      let place = damage == .flippedBit ? nil : mappings.blocks.firstIndex(of: block)
      let lost = place.map { mappings.range(ofBlock: $0) }
      expect(
        found, salvage, toComeFrom: cache,
        losing: lost.map { $0.lowerBound...$0.upperBound - 1 }, what)
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
    #expect(written == found, what)
  }

  @Test(arguments: images)
  func `sound metadata comes back as a dump says it`(name: String) throws {
    let image = try EditableImage(kernel: "cache/\(name)")
    let (found, salvage) = try RecordedCache.salvaged(image.path)
    #expect(try found == RecordedCache.of(image.path).cache)
    #expect(salvage.outcome.isWhole)
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

  private func spaceMap(_ image: EditableImage) throws -> StoredSpaceMap {
    let (_, reader) = try RecordedCache.of(image.path)
    var usage = BlockUsage(blockCount: reader.file.blockCount)
    var findings = Findings()
    return StoredSpaceMap(
      CacheReader.Structure.metadataSpaceMap, root: reader.superblock.metadataSpaceMap,
      index: .block, in: reader.file, usage: &usage, findings: &findings)
  }
}
