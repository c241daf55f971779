import EraMetadata
import Foundation
import PersistentData
import TestSupport
import Testing

/// What a repair brings back of era metadata of which one block is lost, beside what a kernel
/// wrote.
@Suite struct EraSalvageTests {
  private static let images = TestFiles.fixtureNames("kernel/era")

  @Test(arguments: images)
  func `any block can be lost, and no write is missed`(name: String) throws {
    var random = SeededRandom(usually: 2)
    let image = try EditableImage(kernel: "era/\(name)")
    let (eras, _) = try RecordedEras.of(image.path)
    let sound = try image.bytes
    for block in try spaceMap(image).blocksInUse.shuffled(using: &random).prefix(15) {
      let damage = BlockDamage.allCases[random.number(0..<BlockDamage.allCases.count)]
      let what: Comment = "\(name), block \(block), \(damage), SEED=\(random.seed)"
      try sound.write(to: URL(fileURLWithPath: image.path))
      try damage.strike(block, of: image.open(.write), &random)
      let (found, salvage) = try RecordedEras.salvaged(image.path)
      #expect(found.header == eras.header, what)
      #expect(found.eras.count == eras.eras.count, what)
      let isLow = zip(found.last, eras.last).contains { $0 < $1 }
      #expect(!isLow, what)
      if damage == .flippedBit || salvage.outcome.losesNothing { #expect(found == eras, what) }
      // What isn't named as lost is as it was.
      for (block, pair) in zip(found.eras, eras.eras).enumerated() where pair.0 != pair.1 {
        #expect(salvage.outcome.lostBlocks.contains { $0.contains(UInt64(block)) }, what)
      }
      try expectSoundOutput(salvage, as: found, in: image.scratch, what)
    }
  }

  /// Writesets before and after those that are lost are still there.
  @Test func `any leaf of a large tree of writesets can be lost, and no write is missed`() throws {
    var random = SeededRandom(usually: 3)
    let scratch = try Scratch()
    var shape = EraShape()
    (shape.currentEra, shape.writesets, shape.blockCount) = (500, 500, 70)
    let path = try scratch.blank("era", bytes: 8 << 20)
    try EraGenerator(shape).write(through: EraRestorer(BlockFile(path, .write)))
    let (eras, reader) = try RecordedEras.of(path)
    let leaves = try (0..<UInt32(reader.file.blockCount)).map { MetadataBlock($0) }.filter {
      try reader.file.withBlock($0) { bytes in
        let node = BTreeNode(bytes)
        return BlockKind(of: bytes) == .btreeNode && node.kind == .leaf
          && node.valueSize == Writeset.encodedSize
      }
    }
    #expect(leaves.count > 2)
    let sound = try Data(contentsOf: URL(fileURLWithPath: path))
    for leaf in leaves {
      let what: Comment = "\(leaf), SEED=\(random.seed)"
      try sound.write(to: URL(fileURLWithPath: path))
      try BlockDamage.zeroes.strike(leaf, of: BlockFile(path, .write), &random)
      let (found, salvage) = try RecordedEras.salvaged(path)
      #expect(!zip(found.last, eras.last).contains { $0 < $1 }, what)
      try expectSoundOutput(salvage, as: found, in: scratch, what)
    }
  }

  private func expectSoundOutput(
    _ salvage: EraSalvage, as found: RecordedEras, in scratch: Scratch, _ what: Comment
  ) throws {
    let output = try scratch.blank("output", bytes: 12 << 20)
    try salvage.restore(to: BlockFile(output, .write))
    let check = EraReport(of: try BlockFile(output, .read))
    #expect(check.findings.worst != .error && check.findings.worst != .leak, what)
    #expect(try RecordedEras.of(output).eras.last == found.last, what)
  }

  @Test(arguments: images)
  func `sound metadata comes back as a dump says it`(name: String) throws {
    let image = try EditableImage(kernel: "era/\(name)")
    let (found, salvage) = try RecordedEras.salvaged(image.path)
    #expect(try found == RecordedEras.of(image.path).eras)
    #expect(salvage.isWhole)
  }

  /// Of values in an array nobody has a second copy.
  @Test(arguments: images)
  func `of a block that lies no write is missed`(name: String) throws {
    var random = SeededRandom(usually: 2)
    let image = try EditableImage(kernel: "era/\(name)")
    let (eras, reader) = try RecordedEras.of(image.path)
    let sound = try image.bytes
    let blocks = try spaceMap(image).blocksInUse
    let copy = try image.scratch.file("copy", sound)
    let source = try LieSource(BlockFile(copy, .read), inUse: blocks)
    let nodes = try blocks.filter { block in
      try reader.file.withBlock(block) { BlockKind(of: $0) != .array }
    }
    for block in nodes.shuffled(using: &random).prefix(12) {
      for lie in SealedLie.allCases {
        try sound.write(to: URL(fileURLWithPath: image.path))
        guard try source.put(lie, into: block, of: image.open(.write), &random) else { continue }
        let what: Comment = "\(name), block \(block), \(lie), SEED=\(random.seed)"
        guard let (found, _) = try? RecordedEras.salvaged(image.path) else { continue }
        #expect((found.header?.currentEra ?? 0) >= (eras.header?.currentEra ?? 0), what)
        #expect(found.eras.count >= eras.eras.count, what)
        let isLow = zip(found.last, eras.last).contains { $0 < $1 }
        #expect(!isLow, what)
      }
    }
  }

  @Test(arguments: images)
  func `without a superblock no write is missed either`(name: String) throws {
    let image = try EditableImage(kernel: "era/\(name)")
    let eras = try RecordedEras.of(image.path).eras
    try image.clear(.superblock)
    var overrides = EraOverrides()
    overrides.dataBlockSectors = eras.header?.dataBlockSectors
    overrides.currentEra = eras.header?.currentEra
    let found = try RecordedEras.salvaged(image.path, overrides).eras
    #expect(found.header == eras.header)
    #expect(found.last == eras.last)
  }

  /// Old leaves of the index name blocks that have been written again since, for other places.
  @Test func `whatever came before, no write is missed when the index is lost`() throws {
    var random = SeededRandom(usually: 4)
    let scratch = try Scratch()
    var shape = EraShape()
    (shape.currentEra, shape.writesets, shape.blockCount) = (1000, 1, 6 * 1018)
    var known = 0
    let histories = 80
    for _ in 0..<histories {
      let what: Comment = "SEED=\(random.seed)"
      let path = try scratch.blank("era", bytes: random.number(60..<120) * MetadataBlock.size)
      try EraGenerator(shape).write(through: EraRestorer(BlockFile(path, .write)))
      let map = try spaceMap(path)
      var history = try ArrayHistory<UInt32>(
        BlockFile(path, .write),
        leaf: #require(
          MetadataBlock(pointer: EditableImage.eraRoots(of: path).eraArray, count: 256)),
        inUse: map.blocksInUse, values: Array(repeating: Array(repeating: 0, count: 1018), count: 6)
      )
      var era: UInt32 = 0
      let rare = [3, 30, 300].randomElement(using: &random) ?? 3
      try history.live(&random) { random, old in
        era += 1
        return old.map { random.number(0..<rare) == 0 ? era : $0 }
      }
      let bitmap = try #require(map.entries.first ?? nil).block
      try history.finish(
        root: EraSuperblock.Layout.eraArrayRoot, .eraSuperblock,
        bitmap: MetadataBlock(UInt32(bitmap)))
      let eras = try RecordedEras.of(path).eras
      #expect(eras.eras == history.values.flatMap(\.self), what)
      try EditableImage.clear(block: UInt64(history.leaf.number), of: path)
      let (found, salvage) = try RecordedEras.salvaged(path)
      #expect(!zip(found.last, eras.last).contains { $0 < $1 }, what)
      known += found.eras == eras.eras ? 1 : 0
      try expectSoundOutput(salvage, as: found, in: scratch, what)
    }
    #expect(known > histories / 3)
  }

  private func spaceMap(_ image: EditableImage) throws -> StoredSpaceMap {
    try spaceMap(image.path)
  }

  private func spaceMap(_ path: String) throws -> StoredSpaceMap {
    let (_, reader) = try RecordedEras.of(path)
    var usage = BlockUsage(blockCount: reader.file.blockCount)
    var findings = Findings()
    return StoredSpaceMap(
      EraReader.Structure.metadataSpaceMap, root: reader.live.superblock.metadataSpaceMap,
      index: .block, in: reader.file, usage: &usage, findings: &findings)
  }
}
