/// What a cache says of itself, apart from its blocks: the `superblock` element of a dump.
package struct CacheHeader: Hashable, Sendable {
  package var uuid = ""
  package var dataBlockSectors: UInt32
  package var cacheBlockCount: UInt32
  package var policy: String
  /// Bytes in a hint.
  package var hintSize: UInt32

  package init(
    dataBlockSectors: UInt32, cacheBlockCount: UInt32, policy: String, hintSize: UInt32
  ) {
    self.dataBlockSectors = dataBlockSectors
    self.cacheBlockCount = cacheBlockCount
    self.policy = policy
    self.hintSize = hintSize
  }
}

/// What a cache block holds.
package struct CacheBlockMapping: Hashable, Sendable {
  package let cacheBlock: UInt64
  package let originBlock: UInt64
  /// Whether the origin has older data.
  package let isDirty: Bool

  package init(cacheBlock: UInt64, originBlock: UInt64, isDirty: Bool) {
    self.cacheBlock = cacheBlock
    self.originBlock = originBlock
    self.isDirty = isDirty
  }
}

/// Cache metadata, said piece by piece in the order of a dump: a dump and the XML reader say it,
/// the XML writer and the restorer listen.
///
/// `begin`, the mappings, ascending by cache block, `beginHints`, the hints of some of these,
/// ascending, `end`.
package protocol CacheEvents: ~Copyable {
  associatedtype Failure: Error

  mutating func begin(_ header: CacheHeader) throws(Failure)
  mutating func mapping(_ mapping: CacheBlockMapping) throws(Failure)
  mutating func beginHints() throws(Failure)
  /// `hint`: the bytes as a number, the first lowest.
  mutating func hint(_ hint: UInt32, of cacheBlock: UInt64) throws(Failure)
  mutating func end() throws(Failure)
}
