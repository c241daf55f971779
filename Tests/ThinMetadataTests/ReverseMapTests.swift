import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// The reverse map, with room for so little that leaves are read again and again.
@Suite struct ReverseMapTests {
  private func runs(_ reader: PoolReader, _ regions: [Range<UInt64>], _ capacity: Int? = nil)
    -> [ReverseRun]
  {
    var map = ReverseMap(reader, DataRegions(regions), capacity: capacity)
    var runs: [ReverseRun] = []
    map.forEachRun { runs.append($0) }
    return runs
  }

  @Test(arguments: ["snapshots", "ext4", "many-devices", "three-levels"])
  func `it is the same whatever room there is`(name: String) throws {
    let scratch = try Scratch()
    let reader = try PoolReader.open(
      MetadataImage(kernel: "thin/\(name)").open(scratch), choosing: RootChoice())
    for regions in [[0..<1 << 40], [3..<70, 100..<10_000]] as [[Range<UInt64>]] {
      let whole = runs(reader, regions)
      #expect(!whole.isEmpty)
      for capacity in [100, 3000] { #expect(runs(reader, regions, capacity) == whole) }
      let lines = whole.map {
        "data \($0.dataBegin)..\($0.dataEnd) -> thin(\($0.device)) "
          + "\($0.virtualBegin)..\($0.virtualEnd)\n"
      }
      for capacity in [100, 3000, nil] {
        let path = try scratch.file("text")
        let sink = try ByteSink(to: path)
        var map = ReverseMap(reader, DataRegions(regions), capacity: capacity)
        try map.write(to: sink, names: VolumeNames())
        try sink.commit()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == lines.joined())
      }
    }
  }

  @Test func `in pools made up at random nothing is missing, and nothing is told twice`() throws {
    var random = SeededRandom()
    for round in 0..<40 {
      let pool = RandomPool(&random, largeSegments: round == 0 ? 1 : 0)
      let scratch = try Scratch()
      let path = try scratch.blank("pool", bytes: 4000 * MetadataBlock.size)
      var restorer = try Restorer(BlockFile(path, .write))
      try pool.play(into: &restorer)
      let reader = try PoolReader.open(BlockFile(path, .read), choosing: RootChoice())
      let count = pool.header.dataBlockCount
      let begin: UInt64 = random.number(0..<count)
      let region = round % 2 == 0 ? 0..<count : begin..<min(count, begin + 500)
      var wanted: [[UInt64]: Int] = [:]
      for (id, device) in try pool.contents.devices {
        for (key, value) in zip(device.keys, device.values) {
          let data = Mapping(value).dataBlock
          if region.contains(data) { wanted[[data, id, key], default: 0] += 1 }
        }
      }
      for capacity in (round < 8 ? [20, 500, nil] : [500, nil]) as [Int?] {
        var found: [[UInt64]: Int] = [:]
        let runs = runs(reader, [region], capacity)
        for run in runs {
          for index in 0..<run.length {
            found[[run.dataBegin + index, run.device, run.virtualBegin + index], default: 0] += 1
          }
        }
        #expect(found == wanted, "seed \(random.seed), round \(round), room for \(capacity ?? 0)")
        let order = runs.map { [$0.dataBegin, $0.dataEnd, $0.device, $0.virtualBegin] }
        #expect(
          zip(order, order.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) || $0 == $1 })
      }
    }
  }
}
