import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Mending in place: sound afterwards, and nothing changed that did not have to.
@Suite struct MendTests {
  /// Mends an image and returns what is on disk afterwards, with what a check says of it.
  private func mended(_ image: MetadataImage) throws -> (MetadataImage, CheckReport) {
    let scratch = try Scratch()
    let file = try image.open(scratch, .write, name: "image")
    let before = CheckReport(of: file, CheckScope())
    try #require(before.findings.worst != .error, "\(before.findings.sorted)")
    try before.mend(file)
    let after = try MetadataImage(file: scratch.folder.appendingPathComponent("image").path)
    return (after, CheckReport(of: file, CheckScope()))
  }

  /// Nothing worse than a note is left.
  private func expectClean(_ report: CheckReport) {
    let rest = report.findings.sorted.filter { $0.rule.severity > .note }
    #expect(rest.isEmpty, "\(rest)")
  }

  @Test(arguments: ["discard-leak", "discard-crash", "crash-writes", "metadata-full"])
  func `a leaky image is sound after mending, and only blocks concerned change`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let map = image.dataMap
    let counted = image.countedDataBlocks
    // Bitmaps with a count too high, what indexes them, and the superblock.
    var concerned: Set<UInt64> = [0]
    for (index, place) in map.entries.enumerated() {
      let first = index * Bitmap.entryCount
      let end = min(first + Bitmap.entryCount, Int(map.root.blockCount))
      let isRight = (first..<end).allSatisfy {
        image.count($0, in: map) == min(3, counted[UInt64($0), default: 0])
      }
      if !isRight { concerned.formUnion([place.entry.block, place.block]) }
    }
    let (after, report) = try mended(image)
    expectClean(report)
    #expect(concerned.count > 1)
    #expect(image.differingBlocks(after).isSubset(of: concerned))
    #expect(after.mappings == image.mappings)
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `mending changes nothing where nothing is to be mended`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    guard try !image.check().needsMending else { return }
    let (after, _) = try mended(image)
    #expect(image.differingBlocks(after).isEmpty)
  }

  /// Mends with an undo file, then undoes that.
  private func expectUndoable(_ image: MetadataImage, _ name: String) throws {
    let (mended, _) = try mended(image)
    let scratch = try Scratch()
    let file = try image.open(scratch, .write, name: "image")
    let report = CheckReport(of: file, CheckScope())
    let undo = scratch.folder.appendingPathComponent("undo").path
    try report.mend(file, keepingUndoAt: undo)
    #expect(try MetadataImage(file: file.path).bytes == mended.bytes, "\(name)")
    try Undo(reading: undo, for: file).apply()
    #expect(try MetadataImage(file: file.path).bytes == image.bytes, "\(name)")
  }

  @Test func `whatever can be mended can be undone to the last byte`() throws {
    var undone = 0
    for name in TestFiles.fixtureNames("kernel/thin") {
      let image = try MetadataImage(kernel: "thin/\(name)")
      guard try image.check().needsMending else { continue }
      try expectUndoable(image, name)
      undone += 1
    }
    for damage in DamageCase.all {
      var image = try MetadataImage(kernel: damage.image)
      _ = try damage.damage(&image)
      let report = try image.check()
      guard report.needsMending, report.findings.worst != .error else { continue }
      try expectUndoable(image, damage.testDescription)
      undone += 1
    }
    for raised in RaisedCount.all {
      var image = try MetadataImage(kernel: raised.image)
      try raised.raise(&image)
      try expectUndoable(image, raised.testDescription)
      undone += 1
    }
    #expect(undone > 15)
  }

  @Test func `the flag needs_check is cleared, and nothing else changes`() throws {
    let image = try MetadataImage(kernel: "thin/needs-check")
    let (after, report) = try mended(image)
    #expect(report.findings.isEmpty)
    #expect(image.differingBlocks(after) == [0])
    var expected = image.superblock
    expected.flags = 0
    #expect(after.superblock == expected)
  }

  @Test func `what the superblock holds besides survives`() throws {
    var image = try MetadataImage(kernel: "thin/discard-leak")
    image.edit(0, as: .thinSuperblock) { bytes in
      bytes[Superblock.Layout.uuidLow] = 0x0123_4567_89AB_CDEF
      bytes[Superblock.Layout.uuidHigh] = 0xFEDC_BA98_7654_3210
      bytes[Superblock.Layout.compatibleFlags] = 0x55
      // Beyond everything that is known today.
      for offset in stride(from: Superblock.Layout.size, to: MetadataBlock.size, by: 4) {
        bytes[Field<UInt32>(at: offset)] = UInt32(offset) | 0xA5A5_0000
      }
    }
    let (after, report) = try mended(image)
    #expect(report.findings.counts.keys.filter { $0.severity > .warning }.isEmpty)
    var expected = image
    let root = after.superblock.dataSpaceMap
    expected.edit(0, as: .thinSuperblock) {
      root.encode(into: &$0, at: Superblock.Layout.dataSpaceMap)
    }
    #expect(!expected.differingBlocks(after).contains(0))
  }

  /// Raises counts in ways of which each takes another path.
  @Test(arguments: RaisedCount.all)
  func `a count that is too high is lowered to the truth`(raised: RaisedCount) throws {
    var image = try MetadataImage(kernel: raised.image)
    try raised.raise(&image)
    let before = try image.check()
    #expect(before.findings.counts.keys.contains { $0 == .refCountTooHigh || $0 == .blockLeaked })
    let (after, report) = try mended(image)
    expectClean(report)
    #expect(after.mappings == image.mappings)
    let counted = after.countedDataBlocks
    let map = after.dataMap
    for block in 0..<Int(map.root.blockCount) {
      let count = min(3, counted[UInt64(block), default: 0])
      if after.count(block, in: map) != count { Issue.record("block \(block) is not \(count)") }
    }
  }
}

/// A way in which data blocks get a higher count than they should have.
struct RaisedCount: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let image: String
  let raise: @Sendable (inout MetadataImage) throws -> Void

  init(
    _ name: String, of image: String = DamageCase.snapshots,
    _ raise: @escaping @Sendable (inout MetadataImage) throws -> Void
  ) {
    testDescription = name
    self.image = image
    self.raise = raise
  }

  static let all = [
    RaisedCount("1 to 2") { image in
      image.setCount(try image.dataBlock(count: 1), to: 2, in: image.dataMap)
    },
    RaisedCount("0 to 2") { image in
      image.allocate(try image.dataBlock(count: 0), in: { $0.dataMap }, count: 2)
    },
    RaisedCount("1 to 5, with the only large count") { image in
      let block = try image.dataBlock(count: 1)
      image.setCount(block, to: 3, in: image.dataMap)
      image.addLargeCount(5, of: block)
    },
    RaisedCount("0 to 300, with the only large count") { image in
      let block = try image.dataBlock(count: 0)
      image.allocate(block, in: { $0.dataMap }, count: 3)
      image.addLargeCount(300, of: block)
    },
    RaisedCount("every large count one more", of: "thin/three-levels") { image in
      try image.editLargeCounts { $0 += 1 }
    },
    RaisedCount("1 to 9, among large counts", of: "thin/three-levels") { image in
      let block = try image.dataBlockAmongLargeCounts
      image.setCount(block, to: 3, in: image.dataMap)
      image.addLargeCount(9, of: block)
    },
    RaisedCount("blocks 0 to 100 in a row, and far away one") { image in
      let map = image.dataMap
      let free = (0..<Int(map.root.blockCount)).filter { image.count($0, in: map) == 0 }
      for block in free.prefix(100) + free.suffix(1) {
        image.allocate(block, in: { $0.dataMap })
      }
    },
  ]
}

extension MetadataImage {
  /// How many distinct leaves lead to each data block, as often as they do.
  var countedDataBlocks: [UInt64: Int] {
    var counts: [UInt64: Int] = [:]
    var seen: Set<UInt64> = []
    for (_, root) in devices { countDataBlocks(below: root, &seen, &counts) }
    return counts
  }

  private func countDataBlocks(
    below block: UInt64, _ seen: inout Set<UInt64>, _ counts: inout [UInt64: Int]
  ) {
    guard seen.insert(block).inserted else { return }
    let node = node(block)
    for value in node.values {
      if node.isLeaf {
        counts[Mapping(value).dataBlock, default: 0] += 1
      } else {
        countDataBlocks(below: value, &seen, &counts)
      }
    }
  }

  /// The first data block with a count, by its two bits.
  func dataBlock(count wanted: Int) throws -> Int {
    let map = dataMap
    guard let block = (0..<Int(map.root.blockCount)).first(where: { count($0, in: map) == wanted })
    else { throw NoSuchPlace() }
    return block
  }

  /// A data block with a count of 1 whose large count, if it had one, would find room.
  var dataBlockAmongLargeCounts: Int {
    get throws {
      let map = dataMap
      for leaf in leaves(below: map.root.refCountRoot) where leaf.keys.count < leaf.maxEntries {
        guard let first = leaf.keys.first, let last = leaf.keys.last else { continue }
        if let block = (Int(first)..<Int(last)).first(where: { count($0, in: map) == 1 }) {
          return block
        }
      }
      throw NoSuchPlace()
    }
  }

  /// Puts an entry into the data space map's tree of large counts, whose leaf must have room.
  mutating func addLargeCount(_ count: UInt32, of block: Int) {
    let all = leaves(below: dataMap.root.refCountRoot)
    let leaf = all.last { $0.keys.first.map { $0 <= block } ?? true } ?? all[0]
    precondition(leaf.keys.count < leaf.maxEntries)
    let place = leaf.keys.firstIndex { $0 > block } ?? leaf.keys.count
    edit(leaf.block, as: .btreeNode) { bytes in
      for index in (place..<leaf.keys.count).reversed() {
        bytes[leaf.key(index + 1)] = leaf.keys[index]
        let value = Field<UInt32>(at: leaf.valueOffset(index))
        bytes[Field<UInt32>(at: leaf.valueOffset(index + 1))] = bytes[value]
      }
      bytes[leaf.key(place)] = UInt64(block)
      bytes[Field<UInt32>(at: leaf.valueOffset(place))] = count
      bytes[BTreeNode.Layout.entryCount] = UInt32(leaf.keys.count + 1)
    }
  }

  /// Changes all large counts of data blocks, of which there must be some.
  mutating func editLargeCounts(_ body: (inout UInt32) -> Void) throws {
    var edited = 0
    for leaf in leaves(below: dataMap.root.refCountRoot) {
      edit(leaf.block, as: .btreeNode) { bytes in
        for index in leaf.keys.indices {
          body(&bytes[Field<UInt32>(at: leaf.valueOffset(index))])
          edited += 1
        }
      }
    }
    if edited == 0 { throw NoSuchPlace() }
  }
}
