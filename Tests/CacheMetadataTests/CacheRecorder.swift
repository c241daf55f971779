import CacheMetadata
import PersistentData
import Testing

/// A cache as its events tell of it.
struct RecordedCache: CacheEvents, Equatable {
  typealias Failure = Never

  var header: CacheHeader?
  var mappings: [UInt64: CacheBlockMapping] = [:]
  var hints: [UInt64: UInt32] = [:]

  mutating func begin(_ header: CacheHeader) { self.header = header }
  mutating func mapping(_ mapping: CacheBlockMapping) { mappings[mapping.cacheBlock] = mapping }
  mutating func beginHints() {}
  mutating func hint(_ hint: UInt32, of cacheBlock: UInt64) { hints[cacheBlock] = hint }
  mutating func end() {}

  /// What a sound image says.
  static func of(_ path: String) throws -> (cache: RecordedCache, reader: CacheReader) {
    var findings = Findings()
    let file = try BlockFile(path, .read)
    let superblock = try #require(
      CacheSuperblock.read(
        .superblock, of: file, at: CacheReader.Structure.superblock, into: &findings))
    var reader = CacheReader(file, superblock, findings: findings)
    var cache = RecordedCache()
    try CacheEmitter().emit(&reader, to: &cache)
    return (cache, reader)
  }

  /// What a repair brings back of an image.
  static func salvaged(
    _ path: String, _ overrides: CacheOverrides = CacheOverrides()
  ) throws -> (cache: RecordedCache, salvage: CacheSalvage) {
    let salvage = try CacheSalvage(
      try BlockFile(path, .read, .salvage), overriding: overrides)
    var cache = RecordedCache()
    salvage.emit(to: &cache)
    return (cache, salvage)
  }
}
