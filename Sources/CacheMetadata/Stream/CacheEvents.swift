package import PersistentData

/// A cache's own numbers, apart from its blocks: the `superblock` element of a dump.
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

/// Cache metadata as a stream of events, in the order of a dump: a dump and the XML reader emit
/// them, the XML writer and the restorer consume them.
///
/// `begin`, the mappings, ascending by cache block, `beginHints`, the hints of some of these,
/// ascending, `end`.
package protocol CacheEvents: ~Copyable {
  associatedtype Failure: Error

  mutating func begin(_ header: CacheHeader) throws(Failure)
  mutating func mapping(_ mapping: CacheBlockMapping) throws(Failure)
  /// The same for several cache blocks, from `first` on: for those in `blocks`, some of which are
  /// `dirty`. `values`: as stored; what they say of dirt, and those of other blocks, don't count.
  mutating func mappings(
    _ values: consuming [UInt64], from first: UInt64, of blocks: Bitset, dirty: Bitset
  ) throws(Failure)
  mutating func beginHints() throws(Failure)
  /// `hint`: the bytes as a number, the first lowest.
  mutating func hint(_ hint: UInt32, of cacheBlock: UInt64) throws(Failure)
  /// The same for several cache blocks, from `first` on: for those in `blocks`.
  mutating func hints(
    _ hints: consuming [UInt32], from first: UInt64, of blocks: Bitset
  ) throws(Failure)
  mutating func end() throws(Failure)
}

extension CacheEvents where Self: ~Copyable {
  package mutating func mappings(
    _ values: consuming [UInt64], from first: UInt64, of blocks: Bitset, dirty: Bitset
  ) throws(Failure) {
    try mappingsOneByOne(values, from: first, of: blocks, dirty: dirty)
  }

  package mutating func hints(
    _ hints: consuming [UInt32], from first: UInt64, of blocks: Bitset
  ) throws(Failure) {
    try hintsOneByOne(hints, from: first, of: blocks)
  }

  mutating func mappingsOneByOne(
    _ values: [UInt64], from first: UInt64, of blocks: Bitset, dirty: Bitset
  ) throws(Failure) {
    for (index, value) in values.enumerated() where blocks[first &+ UInt64(index)] {
      let cacheBlock = first &+ UInt64(index)
      try mapping(
        CacheBlockMapping(
          cacheBlock: cacheBlock, originBlock: CacheMapping(value).originBlock,
          isDirty: dirty[cacheBlock]))
    }
  }

  mutating func hintsOneByOne(
    _ hints: [UInt32], from first: UInt64, of blocks: Bitset
  ) throws(Failure) {
    for (index, hint) in hints.enumerated() where blocks[first &+ UInt64(index)] {
      try self.hint(hint, of: first &+ UInt64(index))
    }
  }
}
