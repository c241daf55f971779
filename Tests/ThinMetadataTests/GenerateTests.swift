import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Pools that are made up are sound, whatever their shape.
@Suite struct GenerateTests {
  /// A shape with a name to read in a report.
  struct Example: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var shape = PoolShape()
    var isScattered = false

    init(_ name: String, scattered: Bool = false, _ change: (inout PoolShape) -> Void) {
      testDescription = name
      isScattered = scattered
      change(&shape)
    }
  }

  static let examples: [Example] = [
    Example("no device") { $0.origins = 0 },
    Example("devices without mappings") {
      $0.origins = 300
      $0.segments = 0
    },
    Example("one mapping") {
      $0.segments = 1
      $0.mappings = 1
    },
    Example("many devices of one mapping", scattered: true) {
      $0.origins = 500
      $0.segments = 1
      $0.mappings = 1
    },
    Example("snapshots that share everything") {
      $0.origins = 2
      $0.snapshots = 300
      $0.segments = 3
    },
    Example("snapshots that diverged", scattered: true) {
      $0.origins = 3
      $0.snapshots = 5
      $0.segments = 40
      $0.divergedSegments = 7
    },
    Example("snapshots that share nothing") {
      $0.snapshots = 4
      $0.divergedSegments = $0.segments
    },
    Example("fragmented data", scattered: true) {
      $0.origins = 4
      $0.longestRun = 2
      $0.gap = 1
      $0.dataOrder = .permuted
    },
    Example("runs of one length, large data blocks") {
      $0.shortestRun = 64
      $0.longestRun = 64
      $0.gap = 0
      $0.dataBlockSectors = Superblock.dataBlockSectorsMaximum
      $0.dataOrder = .permuted
    },
    Example("snapshots of which some blocks changed", scattered: true) {
      $0.origins = 2
      $0.snapshots = 6
      $0.segments = 10
      $0.divergedSegments = 2
      $0.changedPerMillion = 2000
    },
    Example("snapshots of which nearly all changed, fragmented") {
      $0.snapshots = 3
      $0.segments = 7
      $0.mappings = 700
      $0.changedPerMillion = 990_000
      $0.dataOrder = .permuted
    },
    Example("changes in segments too small to be shared") {
      $0.snapshots = 3
      $0.segments = 90
      $0.mappings = 17
      $0.changedPerMillion = 20_000
    },
    Example("segments too small to be shared", scattered: true) {
      $0.snapshots = 7
      $0.segments = 90
      $0.mappings = 17
      $0.divergedSegments = 5
    },
    Example("segments that don't fill their leaves", scattered: true) {
      $0.origins = 2
      $0.snapshots = 6
      $0.segments = 30
      $0.mappings = 333
      $0.divergedSegments = 4
      $0.dataOrder = .permuted
    },
  ]

  /// Makes the pool in a file of the size the generator asks for.
  private func make(_ example: Example, _ scratch: Scratch, _ name: String) throws -> BlockFile {
    let generator = PoolGenerator(example.shape)
    let size = Int(generator.roomyBlocks) * MetadataBlock.size
    let file = try BlockFile(scratch.blank(name, bytes: size), .write)
    try generator.write(to: file)
    if example.isScattered { try LeafScatter.scatter(file, seed: example.shape.seed) }
    return file
  }

  @Test(arguments: examples)
  func `a pool that was made has no findings, and what was asked for`(example: Example) throws {
    #expect(example.shape.problem == nil)
    let scratch = try Scratch()
    let file = try make(example, scratch, "made")
    let report = CheckReport(of: file, CheckScope())
    #expect(report.findings.isEmpty, "\(report.findings.sorted)")
    #expect(report.isComplete)
    let superblock = try #require(report.superblock)
    let mapped = PoolGenerator(example.shape).mappedDataBlocks
    #expect(superblock.dataSpaceMap.allocatedCount == mapped)
    #expect(superblock.transactionID == example.shape.deviceCount)
    let reader = try PoolReader.open(file, choosing: RootChoice())
    #expect(UInt64(reader.devices.count) == example.shape.deviceCount)
    #expect(
      reader.devices.allSatisfy {
        $0.details?.mappedBlocks == example.shape.mappingsPerDevice
      })
    let needed = PoolGenerator(example.shape).neededBlocks
    #expect(superblock.metadataSpaceMap.allocatedCount <= needed + 2)
  }

  @Test(arguments: examples)
  func `the same seed makes the same bytes`(example: Example) throws {
    let scratch = try Scratch()
    let first = try MetadataImage(file: make(example, scratch, "first").path)
    let second = try MetadataImage(file: make(example, scratch, "second").path)
    #expect(first.differingBlocks(second).isEmpty)
  }

  @Test func `changed blocks are a snapshot's own, and about as many as asked for`() throws {
    var shape = PoolShape()
    shape.snapshots = 3
    shape.segments = 30
    shape.changedPerMillion = 10_000
    let changed = PoolGenerator(shape).mappedDataBlocks - shape.mappingsPerDevice
    // 907 are expected, give or take 30.
    #expect((750...1070).contains(changed))
    shape.changedPerMillion = 1_000_000
    #expect(PoolGenerator(shape).mappedDataBlocks == 4 * shape.mappingsPerDevice)
  }

  @Test func `another seed makes another pool`() throws {
    var example = try #require(GenerateTests.examples.first { $0.shape.snapshots == 5 })
    let scratch = try Scratch()
    let first = try MetadataImage(file: make(example, scratch, "first").path)
    example.shape.seed = 2
    let second = try MetadataImage(file: make(example, scratch, "second").path)
    #expect(!first.differingBlocks(second).isEmpty)
  }

  @Test func `scattered leaves hold what they held, in other places`() throws {
    var example = try #require(GenerateTests.examples.first { $0.shape.snapshots == 5 })
    let scratch = try Scratch()
    let scattered = try make(example, scratch, "scattered")
    example.isScattered = false
    let straight = try make(example, scratch, "straight")
    let moved = try MetadataImage(file: scattered.path)
      .differingBlocks(MetadataImage(file: straight.path))
    let leaves = Int(PoolGenerator(example.shape).mappedDataBlocks / 252)
    #expect(moved.count > leaves * 9 / 10)
    #expect(try PoolReader.open(scattered, choosing: RootChoice()).mappings.hasScatteredLeaves)
    #expect(try !PoolReader.open(straight, choosing: RootChoice()).mappings.hasScatteredLeaves)
    #expect(try text(of: scattered, scratch) == text(of: straight, scratch))
    #expect(
      try repairedText(of: scattered, scratch) == repairedText(of: straight, scratch))
  }

  @Test func `damage among scattered leaves is told by a dump, and costs repair no more`() throws {
    let example = try #require(GenerateTests.examples.first { $0.shape.snapshots == 5 })
    let scratch = try Scratch()
    let damaged = try make(example, scratch, "scattered")
    let reader = try PoolReader.open(damaged, choosing: RootChoice())
    let block = reader.mappings.leaf(at: 200).block
    // A mapping to a data block that no device has.
    try damaged.editBlock(block, sealedAs: .btreeNode) { bytes in
      let value = Mapping(dataBlock: Mapping.dataBlockMaximum, time: 0).value
      bytes.storeBytes(of: value.littleEndian, toByteOffset: 32 + 252 * 8, as: UInt64.self)
    }
    #expect {
      _ = try text(of: damaged, scratch)
    } throws: { error in
      guard case DumpError.damaged(let findings) = error else { return false }
      return findings.sorted.contains {
        $0.rule == .dataBlockOutOfRange && $0.site.block == UInt64(block.number)
      }
    }
    let salvage = try Salvage(damaged, overriding: PoolOverrides())
    let lost = salvage.results.map { example.shape.mappingsPerDevice - $0.mappedBlocks }
    #expect(lost.max() == 1)
  }

  /// A dump of what can be read, without the names of shared parts: these are block numbers.
  private func text(of file: BlockFile, _ scratch: Scratch) throws -> String {
    let path = scratch.folder.appendingPathComponent("dump").path
    var dump = Dump()
    dump.format = .xmlCompatible
    let sink = try ByteSink(to: path)
    try dump.write(PoolReader.open(file, choosing: RootChoice()), to: sink)
    try sink.commit()
    return try String(contentsOfFile: path, encoding: .utf8)
  }

  /// The same of what repair finds.
  private func repairedText(of file: BlockFile, _ scratch: Scratch) throws -> String {
    let path = scratch.folder.appendingPathComponent("repaired").path
    var dump = Dump()
    dump.format = .xmlCompatible
    let sink = try ByteSink(to: path)
    try Salvage(file, overriding: PoolOverrides()).dump(dump, to: sink)
    try sink.commit()
    return try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test func `impossible shapes are told from possible ones`() {
    let changes: [(inout PoolShape) -> Void] = [
      { $0.shortestRun = 0 },
      { $0.shortestRun = 33 },
      { $0.divergedSegments = 17 },
      { $0.dataBlockSectors = 100 },
      { $0.changedPerMillion = 1_000_001 },
      { ($0.snapshots, $0.segments, $0.changedPerMillion) = (1 << 20, 1 << 30, 1) },
      { $0.origins = 1 << 24 },
      { $0.snapshots = .max },
      { $0.origins = .max },
      { $0.segments = .max },
      { $0.mappings = .max },
      { $0.gap = .max },
      { ($0.segments, $0.mappings) = (1 << 30, 1 << 30) },
      { ($0.segments, $0.mappings, $0.gap) = (1 << 30, 1, 1 << 35) },
    ]
    for (index, change) in changes.enumerated() {
      var shape = PoolShape()
      #expect(shape.problem == nil)
      change(&shape)
      #expect(shape.problem != nil, "change \(index)")
    }
  }
}
