import CacheMetadata
import PersistentData
import TestSupport
import Testing

/// Caches that are made up are sound, and have what was asked for.
@Suite struct CacheGenerateTests {
  static let shapes: [CacheShape] = [
    shape { _ in },
    shape { $0.cacheBlocks = 0 },
    shape {
      $0.cacheBlocks = 1
      $0.residentPerMillion = 1_000_000
    },
    shape {
      ($0.cacheBlocks, $0.originBlocks) = (3000, 3000)
      ($0.residentPerMillion, $0.dirtyPerMillion) = (1_000_000, 1_000_000)
    },
    shape {
      ($0.cacheBlocks, $0.originBlocks, $0.hotspotBlocks) = (130_000, 1 << 40, 37)
      $0.dirtyPerMillion = 0
    },
    shape {
      ($0.cacheBlocks, $0.originBlocks, $0.hotspotBlocks) = (500, 1 << 48, .max >> 16)
      ($0.residentPerMillion, $0.dataBlockSectors) = (2000, 64)
    },
  ]

  private static func shape(_ change: (inout CacheShape) -> Void) -> CacheShape {
    var shape = CacheShape()
    change(&shape)
    return shape
  }

  @Test(arguments: shapes, [1, 2] as [UInt32])
  func `a made cache is sound, and as it was asked for`(
    shape: CacheShape, version: UInt32
  ) throws {
    #expect(shape.problem == nil)
    let scratch = try Scratch()
    let generator = CacheGenerator(shape)
    let path = try scratch.blank("cache", bytes: Int(generator.roomyBlocks) * MetadataBlock.size)
    var restorer = CacheRestorer(try BlockFile(path, .write))
    restorer.version = version
    try generator.write(through: restorer)
    let check = CacheReport(of: try BlockFile(path, .read))
    #expect(check.findings.isEmpty, "\(check.findings.sorted)")
    let cache = try RecordedCache.of(path).cache
    #expect(cache.header?.cacheBlockCount == shape.cacheBlocks)
    #expect(UInt64(cache.mappings.count) == shape.residentBlocks)
    #expect(UInt64(cache.mappings.values.count(where: \.isDirty)) == shape.dirtyBlocks)
    #expect(Set(cache.mappings.values.map(\.originBlock)).count == cache.mappings.count)
    #expect(cache.mappings.values.allSatisfy { $0.originBlock < shape.originBlocks })
    #expect(Set(cache.hints.keys) == Set(cache.mappings.keys))
  }

  @Test func `the seed alone makes another cache`() {
    var shape = CacheShape()
    let caches = ([1, 1, 2] as [UInt64]).map { seed in
      shape.seed = seed
      var recorded = RecordedCache()
      CacheGenerator(shape).write(into: &recorded)
      return recorded
    }
    #expect(caches[0] == caches[1])
    #expect(caches[0] != caches[2])
  }

  @Test func `what can't be is refused`() {
    let impossible = [
      Self.shape { $0.dataBlockSectors = 100 }, Self.shape { $0.originBlocks = 8191 },
      Self.shape { $0.hotspotBlocks = 0 }, Self.shape { $0.hotspotBlocks = .max },
      Self.shape { $0.originBlocks = (1 << 48) + 1 },
      Self.shape { $0.residentPerMillion = 1_000_001 },
    ]
    for shape in impossible { #expect(shape.problem != nil, "\(shape)") }
  }
}
