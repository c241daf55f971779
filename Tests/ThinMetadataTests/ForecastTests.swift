import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What a pool is said to need is what it needs.
@Suite struct ForecastTests {
  @Test func `without snapshots it is what version 1 says`() {
    // Blocks of the data device, devices, blocks of metadata.
    let cases: [(UInt64, UInt64, UInt64)] = [
      (1, 0, 2), (126, 1, 3), (127, 1, 4), (16_777_216, 1000, 134_154), (1 << 34, 1, 4_161_600),
      (1, .max, 4_161_600), (.max, .max, 4_161_600),
    ]
    for (dataBlocks, devices, wanted) in cases {
      let needed = PoolForecast(dataBlockCount: dataBlocks, deviceCount: devices).needed
      #expect(needed.blocks == wanted)
      #expect(needed.isLimited == (wanted == 4_161_600))
    }
  }

  /// Leaves of an origin, snapshots, blocks of a million that change.
  @Test(arguments: [
    (60, 4, 1000), (60, 4, 10_000), (60, 4, 100_000), (40, 9, 4000), (40, 9, 50_000),
    (20, 24, 10_000), (30, 9, 500_000), (400, 2, 100), (10, 60, 30_000), (40, 3, 1_000_000),
  ])
  func `a pool whose snapshots change here and there fits, and is not overrated`(
    leaves: Int, snapshots: Int, changed: Int
  ) throws {
    var shape = PoolShape()
    shape.snapshots = UInt64(snapshots)
    shape.segments = UInt64(leaves)
    shape.mappings = 252
    shape.changedPerMillion = UInt64(changed)
    let scratch = try Scratch()
    let generator = PoolGenerator(shape)
    let size = Int(generator.roomyBlocks) * MetadataBlock.size
    let file = try BlockFile(scratch.blank("pool", bytes: size), .write)
    try generator.write(to: file)
    let used = try file.withBlock(.superblock) { Superblock($0) }.metadataSpaceMap.allocatedCount
    let forecast = PoolForecast(
      dataBlockCount: generator.mappedDataBlocks, deviceCount: shape.deviceCount,
      snapshots: shape.snapshots, changedPerMillion: shape.changedPerMillion)
    #expect(forecast.needed.blocks >= used)
    #expect(forecast.needed.blocks <= 3 * used + 100)
  }

  @Test func `more of anything never needs less`() {
    var random = SeededRandom()
    for _ in 0..<2000 {
      let numbers = (0..<4).map { _ in random.next() >> random.number(0...63 as ClosedRange<UInt64>)
      }
      let change = numbers[3] % 1_000_001
      func needed(_ data: UInt64, _ devices: UInt64) -> UInt64 {
        PoolForecast(
          dataBlockCount: data, deviceCount: devices, snapshots: numbers[2],
          changedPerMillion: change
        ).needed.blocks
      }
      let less = needed(numbers[0] / 2, numbers[1] / 2)
      #expect(needed(numbers[0], numbers[1]) >= less, "seed \(random.seed), \(numbers)")
      #expect(less <= MetadataBlock.maximumCount)
    }
  }
}
