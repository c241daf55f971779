import EraMetadata
import PersistentData
import TestSupport
import Testing

/// One field changed in sound metadata made by a kernel, and what the check has to say of it.
struct EraDamage: Sendable, CustomTestStringConvertible {
  let rule: Rule
  let name: String
  let image: String
  /// What else the change entails.
  let entails: Set<Rule>
  let damage: @Sendable (EditableImage, EraReader) throws -> Void

  /// Archived writesets and a current one.
  static let undigested = "era/era-undigested"

  init(
    _ rule: Rule, _ name: String, of image: String = undigested, entails: Set<Rule> = [],
    _ damage: @escaping @Sendable (EditableImage, EraReader) throws -> Void
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
    _ body: @escaping @Sendable (inout EraSuperblock) -> Void
  ) -> EraDamage {
    EraDamage(rule, name, entails: entails) { image, reader in
      var superblock = reader.live.superblock
      body(&superblock)
      try image.edit(.superblock, .eraSuperblock) { superblock.encode(into: &$0) }
    }
  }

  private static func eraArray(
    _ rule: Rule, _ name: String, _ body: @escaping @Sendable (inout MutableRawSpan) -> Void
  ) -> EraDamage {
    EraDamage(rule, name) { image, reader in
      let block = try #require(reader.live.eraArray.blocks.first ?? nil)
      try image.edit(block, .array, body)
    }
  }

  private static func writesetLeaf(
    _ rule: Rule, _ name: String, entails: Set<Rule> = [],
    _ body: @escaping @Sendable (inout MutableRawSpan, LeafLayout) -> Void
  ) -> EraDamage {
    EraDamage(rule, name, entails: entails) { image, reader in
      let root = MetadataBlock(UInt32(reader.live.superblock.writesetRoot))
      try image.edit(root, .btreeNode) { body(&$0, LeafLayout($0.bytes)) }
    }
  }

  static let all: [EraDamage] = [
    superblock(.superblockWrongMagic, "another number") { $0.magic += 1 },
    superblock(.superblockUnknownVersion, "version 2") { $0.version = 2 },
    superblock(.superblockUnknownFlags, "flag 3") { $0.flags |= 8 },
    superblock(.metadataBlockSizeInvalid, "9 sectors") { $0.metadataBlockSectors = 9 },
    superblock(.dataBlockSizeInvalid, "no multiple of 8") { $0.dataBlockSectors += 1 },
    superblock(
      .blockCountInvalid, "2^31",
      entails: [
        .arrayWrongEntryCount, .arrayBlockMissing,
        .writesetSizeWrong,
      ]
    ) { $0.blockCount = 1 << 31 },
    superblock(.arrayEntriesBeyondEnd, "fewer blocks", entails: [.writesetSizeWrong]) {
      $0.blockCount -= 64
    },
    superblock(.writesetSizeWrong, "the current one has a few bits less") {
      $0.currentWriteset.bitCount -= 5
    },
    EraDamage(.writesetSizeUnusual, "of the one to come", of: "era/era") { image, reader in
      var superblock = reader.live.superblock
      superblock.currentWriteset = Writeset(
        bitCount: superblock.blockCount - 3, root: superblock.currentWriteset.root)
      try image.edit(.superblock, .eraSuperblock) { superblock.encode(into: &$0) }
    },
    superblock(.childOutOfDevice, "a snapshot far off", entails: [.metadataSnapshotHeld]) {
      $0.heldRoot = 1 << 40
    },
    eraArray(.blockEraInFuture, "the first block's") { $0[ArrayBlock.field(0)] = UInt32(1000) },
    eraArray(.arrayWrongValueSize, "eras of 8 bytes") { $0[ArrayBlock.Layout.valueSize] = 8 },
    eraArray(.arrayWrongEntryCount, "none") { $0[ArrayBlock.Layout.entryCount] = 0 },
    EraDamage(.blockEraPastWriteset, "the first block's is the current one") { image, reader in
      let block = try #require(reader.live.eraArray.blocks.first ?? nil)
      try image.edit(block, .array) {
        $0[ArrayBlock.field(0)] = reader.live.superblock.currentEra
      }
    },
    writesetLeaf(.writesetInFuture, "the last key", entails: [.writesetMissing]) { bytes, leaf in
      let last = leaf.entryCount - 1
      let era: UInt64 = bytes[leaf.key(last)]
      bytes[leaf.key(last)] = era + 1
    },
    writesetLeaf(.writesetMissing, "the last entry is gone", entails: [.blockLeaked]) {
      bytes, leaf in
      bytes[BTreeNode.Layout.entryCount] -= 1
    },
  ]
}

@Suite struct EraDamageTests {
  @Test(arguments: EraDamage.all)
  func `a change of one field is reported as what it is`(damage: EraDamage) throws {
    let image = try EditableImage(kernel: damage.image)
    #expect(EraReport(of: try image.open()).findings.isEmpty)
    var unused = Findings()
    let superblock = try #require(
      EraSuperblock.read(
        .superblock, of: image.open(), at: EraReader.Structure.superblock, into: &unused))
    try damage.damage(image, EraReader(image.open(), superblock, findings: Findings()))
    let check = EraReport(of: try image.open())
    let rules = Set(check.findings.counts.keys).subtracting([.countsNotJudged])
    #expect(rules.contains(damage.rule), "\(check.findings.sorted)")
    #expect(
      rules.isSubset(of: damage.entails.union([damage.rule])), "\(check.findings.sorted)")
  }

  @Test(arguments: try FixtureTable.images(of: "era"))
  func `kernel-made era metadata gets its verdict`(row: FixtureTable.Row) throws {
    let check = EraReport(of: try EditableImage(kernel: row.imageName ?? "").open())
    let expected = try #require(FixtureVerdict(row.verdict), "can't read '\(row.verdict)'")
    #expect(check.findings.counts == expected.counts, "\(check.findings.sorted)")
    #expect(check.isComplete)
  }

  @Test func `metadataSnapshotHeld: a metadata snapshot is noted with its block`() throws {
    let image = try EditableImage(kernel: "era/era-snapshot")
    let check = EraReport(of: try image.open())
    let block = try #require(check.superblock?.heldRoot)
    let found = try #require(check.findings.sorted.first { $0.rule == .metadataSnapshotHeld })
    #expect(block > 0 && found.found.words == "block \(block)")
    #expect(found.site.structure == "metadata snapshot")
    #expect(check.findings.worst == .note)
  }

  /// Formatting counts two blocks as free that it takes, in the entry of the first bitmap.
  @Test(arguments: [(1, 1), (-1, 1), (0, 0), (-2, 0)] as [(Int32, Int)])
  func `two free blocks too many are from formatting, others are not`(
    change: Int32, warnings: Int
  ) throws {
    let image = try EditableImage(kernel: "era/era-formatted")
    let superblock = try #require(EraReport(of: image.open()).superblock)
    let index = MetadataBlock(UInt32(superblock.metadataSpaceMap.bitmapRoot))
    let field = IndexEntry.Layout.freeCount.shifted(by: MetadataIndex.offset(of: 0))
    try image.edit(index, .metadataIndex) { bytes in
      bytes[field] = UInt32(Int32(bytes[field]) + change)
    }
    let counts = EraReport(of: try image.open()).findings.counts
    #expect(counts[.freeCountWrong, default: 0] == warnings)
  }
}
