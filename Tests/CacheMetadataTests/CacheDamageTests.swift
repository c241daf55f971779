import CacheMetadata
import PersistentData
import TestSupport
import Testing

/// One field changed in sound metadata made by a kernel, and what the check has to say of it.
struct CacheDamage: Sendable, CustomTestStringConvertible {
  let rule: Rule
  let name: String
  var image = "cache/cache-v2"
  /// What else the change entails.
  var entails: Set<Rule> = []
  let damage: @Sendable (EditableImage, CacheReader) throws -> Void

  init(
    _ rule: Rule, _ name: String, of image: String = "cache/cache-v2", entails: Set<Rule> = [],
    _ damage: @escaping @Sendable (EditableImage, CacheReader) throws -> Void
  ) {
    self.rule = rule
    self.name = name
    self.image = image
    self.entails = entails
    self.damage = damage
  }

  var testDescription: String { "\(rule.rawValue): \(name)" }

  private static func superblock(
    _ rule: Rule, _ name: String, entails: Set<Rule> = [],
    _ body: @escaping @Sendable (inout CacheSuperblock) -> Void
  ) -> CacheDamage {
    CacheDamage(rule, name, entails: entails) { image, reader in
      var superblock = reader.superblock
      body(&superblock)
      try image.edit(.superblock, .cacheSuperblock) { superblock.encode(into: &$0) }
    }
  }

  /// Changes the block of an array that stands first.
  private static func array(
    _ rule: Rule, _ name: String, _ path: KeyPath<CacheReader, StoredArray?> & Sendable,
    of image: String = "cache/cache-v2", entails: Set<Rule> = [],
    _ body: @escaping @Sendable (inout MutableRawSpan) -> Void
  ) -> CacheDamage {
    CacheDamage(rule, name, of: image, entails: entails) { image, reader in
      let block = try #require(reader[keyPath: path]?.blocks.first ?? nil)
      try image.edit(block, .array, body)
    }
  }

  /// The first value of the mapping array that is (not) in use gets another one.
  private static func mapping(
    _ rule: Rule, _ name: String, inUse: Bool, of image: String = "cache/cache-v2",
    entails: Set<Rule> = [], _ change: @escaping @Sendable (UInt64) -> UInt64
  ) -> CacheDamage {
    array(rule, name, \.mappings, of: image, entails: entails) { bytes in
      for index in 0..<Int(bytes[ArrayBlock.Layout.entryCount]) {
        let value: UInt64 = bytes[ArrayBlock.field(index)]
        guard (value != 0) == inUse else { continue }
        bytes[ArrayBlock.field(index)] = change(value)
        return
      }
    }
  }

  static let all: [CacheDamage] = [
    superblock(.superblockWrongMagic, "another number") { $0.magic += 1 },
    superblock(.superblockUnknownVersion, "version 3") { $0.version = 3 },
    superblock(.superblockUnknownFlags, "flag 2") { $0.flags |= 4 },
    superblock(.unsupportedFeatures, "a feature") { $0.incompatibleFlags = 1 },
    superblock(.metadataBlockSizeInvalid, "9 sectors") { $0.metadataBlockSectors = 9 },
    superblock(.dataBlockSizeInvalid, "no multiple of 64", entails: [.discardBlockSizeInvalid]) {
      $0.dataBlockSectors += 1
    },
    superblock(.policyHintSizeInvalid, "8 bytes") { $0.policyHintSize = 8 },
    superblock(.policyHintSizeMissing, "0 bytes") { $0.policyHintSize = 0 },
    superblock(.discardBlockSizeInvalid, "no power of two") {
      $0.discardBlockSectors = 3 * UInt64($0.dataBlockSectors) / 2
    },
    superblock(
      .discardBlockCountInvalid, "too many", entails: [.arrayBlockMissing, .arrayWrongEntryCount]
    ) {
      $0.discardBlockCount = CacheSuperblock.discardBlockCountMaximum + 509 * 64
    },
    superblock(
      .dirtyBitsetMissing, "root 0", entails: [.blockLeaked]
    ) { $0.dirtyRoot = 0 },
    superblock(.needsCheck, "the flag") { $0.flags |= 2 },
    superblock(.arrayEntriesBeyondEnd, "fewer cache blocks") { $0.cacheBlockCount -= 7 },
    superblock(.arrayWrongEntryCount, "more cache blocks") { $0.cacheBlockCount += 70 },
    array(.arrayWrongValueSize, "hints of 8 bytes", \.hints) {
      $0[ArrayBlock.Layout.valueSize] = 8
    },
    array(.arrayUnusualMaximum, "one less", \.mappings) {
      $0[ArrayBlock.Layout.maxEntries] -= 1
    },
    array(.blockWrongNumber, "a discard block", \.discards) { $0[ArrayBlock.Layout.block] += 1 },
    mapping(.mappingFlagsUnknown, "flag 3", inUse: true) { $0 | 8 },
    mapping(.mappingFlagsUnknown, "the dirty flag of version 1 in version 2", inUse: true) {
      $0 | 2
    },
    mapping(.mappingOfUnusedBlock, "an origin block without a flag", inUse: false) { _ in
      5 << 16
    },
    mapping(.originBlockOutOfRange, "2^44", inUse: true) { $0 | 1 << 60 },
    mapping(.originBlockBeyondDiscards, "a far block", inUse: true) { $0 | 1 << 50 },
    CacheDamage(.originBlockMappedTwice, "the second mapping is as the first") { image, reader in
      let block = try #require(reader.mappings?.blocks[0])
      try image.edit(block, .array) { bytes in
        var first: UInt64?
        for index in 0..<Int(bytes[ArrayBlock.Layout.entryCount]) {
          let value: UInt64 = bytes[ArrayBlock.field(index)]
          guard value != 0 else { continue }
          if let first {
            bytes[ArrayBlock.field(index)] = first
            return
          }
          first = value
        }
      }
    },
    CacheDamage(.dirtyUnusedBlock, "the first that is not in use") { image, reader in
      let block = try #require(reader.mappings?.blocks[0])
      let unused =
        try image.open().withBlock(block) { bytes in
          let block = ArrayBlock(bytes)
          return (0..<block.entryCount).first { block.value($0, as: UInt64.self) == 0 }
        } ?? 0
      let bits = try #require(reader.dirtyBits?.blocks.first ?? nil)
      try image.edit(bits, .array) { bytes in
        let word: Field<UInt64> = ArrayBlock.field(unused / 64)
        bytes[word] |= 1 << UInt64(unused % 64)
      }
    },
    CacheDamage(.arrayBlockMissing, "no entry in the index", entails: [.blockLeaked]) {
      image, reader in
      let root = MetadataBlock(UInt32(reader.superblock.mappingRoot))
      try image.edit(root, .btreeNode) { $0[BTreeNode.Layout.entryCount] -= 1 }
    },
    CacheDamage(.arrayBlockBeyondEnd, "a key far behind the last", entails: [.arrayBlockMissing]) {
      image, reader in
      let root = MetadataBlock(UInt32(reader.superblock.mappingRoot))
      try image.edit(root, .btreeNode) { bytes in
        let last = Int(bytes[BTreeNode.Layout.entryCount]) - 1
        bytes[LeafLayout(bytes.bytes).key(last)] = 1_000_000
      }
    },
    tail("garbage") { image, tail in try image.clear(tail) },
    tail("another number") { image, tail in
      try image.edit(tail, .array) { $0[ArrayBlock.Layout.block] += 1 }
    },
    tail("values of another size") { image, tail in
      try image.edit(tail, .array) { $0[ArrayBlock.Layout.valueSize] = 4 }
    },
    tail("more values than there is room for") { image, tail in
      try image.edit(tail, .array) { $0[ArrayBlock.Layout.entryCount] = 600 }
    },
    tail("another kind") { image, tail in try image.edit(tail, .btreeNode) { _ in } },
  ]

  /// Changes the block of mappings that stayed behind when the cache shrank.
  private static func tail(
    _ name: String, _ body: @escaping @Sendable (EditableImage, MetadataBlock) throws -> Void
  ) -> CacheDamage {
    CacheDamage(.arrayTailDamaged, name, of: "cache/cache-shrunk") { image, reader in
      let root = MetadataBlock(UInt32(reader.superblock.mappingRoot))
      let tail = try image.open().withBlock(root) { bytes in
        let leaf = BTreeNode(bytes)
        return MetadataBlock(UInt32(leaf.value(leaf.entryCount - 1)))
      }
      try body(image, tail)
    }
  }
}

@Suite struct CacheDamageTests {
  @Test(arguments: CacheDamage.all)
  func `a change of one field is reported as what it is`(damage: CacheDamage) throws {
    let image = try EditableImage(kernel: damage.image)
    #expect(CacheReport(of: try image.open()).findings.isEmpty)
    var unused = Findings()
    let superblock = try #require(
      CacheSuperblock.read(
        .superblock, of: image.open(), at: CacheReader.Structure.superblock, into: &unused))
    try damage.damage(image, CacheReader(image.open(), superblock, findings: Findings()))
    let check = CacheReport(of: try image.open())
    let rules = Set(check.findings.counts.keys)
    let expected = damage.entails.union([damage.rule])
    // What damage hides is no finding of its own.
    #expect(
      rules.subtracting([.countsNotJudged]) == expected.subtracting(hidden(expected)),
      "\(check.findings.sorted)")
  }

  /// Leaks aren't judged beside an error.
  private func hidden(_ rules: Set<Rule>) -> Set<Rule> {
    rules.contains { $0.severity == .error } ? [.blockLeaked] : []
  }

  @Test(arguments: try FixtureTable.images(of: "cache"))
  func `a kernel-made cache gets its verdict`(row: FixtureTable.Row) throws {
    let check = CacheReport(of: try EditableImage(kernel: row.imageName ?? "").open())
    let expected = try #require(FixtureVerdict(row.verdict), "can't read '\(row.verdict)'")
    #expect(check.findings.counts == expected.counts, "\(check.findings.sorted)")
    #expect(check.isComplete)
  }

  @Test(arguments: [.max, .max - 7, 1 << 63, 1 << 32, 16386] as [UInt64])
  func `any number of discard blocks is taken, and reported`(count: UInt64) throws {
    for name in ["cache-formatted", "cache-v2", "cache-discards"] {
      let image = try EditableImage(kernel: "cache/\(name)")
      try image.edit(.superblock, .cacheSuperblock) {
        $0[CacheSuperblock.Layout.discardBlockCount] = count
      }
      let check = CacheReport(of: try image.open())
      #expect(check.findings.counts[.discardBlockCountInvalid] == 1, "\(name)")
      #expect(check.findings.worst == .error, "\(name)")
    }
  }

  @Test func `after a crash the stored dirty bits mean nothing`() throws {
    let image = try EditableImage(kernel: "cache/cache-v2")
    var unused = Findings()
    let superblock = try #require(
      CacheSuperblock.read(
        .superblock, of: image.open(), at: CacheReader.Structure.superblock, into: &unused))
    let reader = CacheReader(try image.open(), superblock, findings: Findings())
    let bits = try #require(reader.dirtyBits?.blocks.first ?? nil)
    try image.edit(bits, .array) { bytes in
      for word in 0..<Int(bytes[ArrayBlock.Layout.entryCount]) {
        bytes[ArrayBlock.field(word)] = UInt64.max
      }
    }
    #expect(CacheReport(of: try image.open()).findings.worst == .error)
    // As the kernel clears it when a cache is activated.
    try image.edit(.superblock, .cacheSuperblock) {
      $0[CacheSuperblock.Layout.flags] &= ~CacheSuperblock.cleanShutdownFlag
    }
    #expect(CacheReport(of: try image.open()).findings.isEmpty)
  }

  @Test func `a leaked block and the flag are mended, and nothing else changes`() throws {
    let image = try EditableImage(kernel: "cache/cache-v2")
    let before = try image.bytes
    var check = CacheReport(of: try image.open())
    let superblock = try #require(check.superblock)
    let index = MetadataBlock(UInt32(superblock.metadataSpaceMap.bitmapRoot))
    let bitmap = try image.open().withBlock(index) {
      MetadataBlock(UInt32(IndexEntry($0, at: MetadataIndex.offset(of: 0)).block))
    }
    try image.edit(bitmap, .bitmap) { $0[Bitmap.word(10)] |= 2 }
    try image.edit(.superblock, .cacheSuperblock) { $0[CacheSuperblock.Layout.flags] |= 2 }
    check = CacheReport(of: try image.open())
    #expect(check.findings.worst == .leak, "\(check.findings.sorted)")
    try check.mend(image.open(.write))
    #expect(CacheReport(of: try image.open()).findings.isEmpty)
    #expect(try image.bytes == before)
  }
}
