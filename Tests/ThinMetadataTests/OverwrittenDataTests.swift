import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Data that is gone while every tree is right.
@Suite struct OverwrittenDataTests {
  private static let rounds = 5

  @Test func `data blocks that count as free may have been overwritten`() throws {
    let report = try MetadataImage(kernel: "thin-faulty/miscounted").check()
    #expect(report.overwrittenData.isComplete)
    try expect(report, device: 1, possible: [0...0, 160...259])
  }

  @Test func `data blocks with two owners have been overwritten for the later one`() throws {
    let report = try MetadataImage(kernel: "thin-faulty/two-owners").check()
    #expect(report.overwrittenData.isComplete)
    try expect(report, device: 1, certain: [0...0, 160...163], possible: [164...259])
  }

  /// There must be one such device.
  private func expect(
    _ report: CheckReport, device id: UInt64, certain: [ClosedRange<UInt64>] = [],
    possible: [ClosedRange<UInt64>] = []
  ) throws {
    let devices = report.overwrittenData.devices
    #expect(devices.map(\.id) == [id])
    #expect(devices.first?.certain == certain)
    #expect(devices.first?.possible == possible)
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `nothing is overwritten in sound pools, with leaks or without`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    #expect(OverwrittenModel(image).devices.isEmpty)
    let report = try image.check()
    #expect(report.overwrittenData.devices.isEmpty)
    #expect(report.overwrittenData.isComplete)
  }

  /// Mappings lead to data blocks that others have, counts are lowered, leaves are shared or not:
  /// whatever it is, a plain model knows whose data is concerned.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `changed mappings and counts are told as a plain model tells them`(name: String) throws {
    let sound = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom(usually: 1)
    for round in 0..<OverwrittenDataTests.rounds {
      var image = sound
      crossLink(&image, &random)
      lowerCounts(&image, &random)
      let place: Comment = "\(name), seed \(random.seed), round \(round)"
      let model = OverwrittenModel(image)
      guard model.hasSigns else { continue }
      let report = try image.check()
      var told: [UInt64: OverwrittenModel.Device] = [:]
      for device in report.overwrittenData.devices {
        told[device.id] = OverwrittenModel.Device(
          certain: Set(device.certain.joined()), possible: Set(device.possible.joined()))
      }
      #expect(told == model.devices, place)
    }
  }

  @Test(arguments: [
    ("miscounted", []), ("two-owners", [0...0, 160...163] as [ClosedRange<UInt64>]),
  ])
  func `a repair keeps such mappings, or leaves out the certain ones`(
    name: String, certain: [ClosedRange<UInt64>]
  ) throws {
    let image = try MetadataImage(kernel: "thin-faulty/\(name)")
    let report = try image.check()
    let kept = try Rescue(image)
    try kept.expectSound("\(name), kept")
    #expect(kept.output.mappings == image.mappings)
    #expect(kept.salvage.overwrittenData.devices == report.overwrittenData.devices)

    let dropped = try Rescue(image, dropsOverwritten: true)
    try dropped.expectSound("\(name), dropped")
    #expect(dropped.salvage.overwrittenData.devices == report.overwrittenData.devices)
    var expected = image.mappings
    for key in certain.joined() { expected[1]?[key] = nil }
    #expect(dropped.output.mappings == expected)
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `what is left out are the certain ones of all devices, shared leaves or not`(
    name: String
  ) throws {
    let sound = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom(usually: 1)
    for round in 0..<OverwrittenDataTests.rounds {
      var image = sound
      crossLink(&image, &random)
      lowerCounts(&image, &random)
      let model = OverwrittenModel(image)
      // One such mapping in a pool with leaks may as well be a wrong entry, several a wrong leaf.
      guard model.hasSigns, !model.mayHaveWrongEntry, !model.mayHaveWrongLeaf else { continue }
      let place: Comment = "\(name), seed \(random.seed), round \(round)"
      var expected = image.mappings
      for (id, device) in model.devices {
        for key in device.certain { expected[id]?[key] = nil }
      }
      let rescue = try Rescue(image, dropsOverwritten: true)
      try rescue.expectSound(place, allowing: [.deviceTimesReversed])
      #expect(rescue.output.mappings == expected, place)
    }
  }

  /// Has some mappings lead to data blocks that are mapped elsewhere, at an earlier time, the same
  /// or a later one.
  private func crossLink(_ image: inout MetadataImage, _ random: inout SeededRandom) {
    let leaves = image.devices.flatMap { image.leaves(below: $0.root) }.filter { !$0.keys.isEmpty }
    for _ in 0..<random.number(0...5) {
      guard let from = leaves.randomElement(using: &random),
        let to = leaves.randomElement(using: &random),
        let index = from.keys.indices.randomElement(using: &random),
        let other = to.keys.indices.randomElement(using: &random)
      else { return }
      let before = Mapping(image.node(from.block).values[index]).dataBlock
      let mapping = Mapping(
        dataBlock: Mapping(to.values[other]).dataBlock,
        time: random.once(in: 2)
          ? Mapping(from.values[index]).time : random.number(0...image.superblock.time))
      let count = image.count(Int(before), in: image.dataMap)
      guard mapping.dataBlock != before, count == 1 || count == 2 else { continue }
      image.set(from.block, as: .btreeNode, from.value(index), to: mapping.value)
      release(Int(before), &image)
    }
  }

  /// What was mapped before is counted less often, as a kernel would: where it is not, the entry
  /// is taken for a damaged one and put right.
  private func release(_ block: Int, _ image: inout MetadataImage) {
    let map = image.dataMap
    let count = image.count(block, in: map)
    image.setCount(block, to: count - 1, in: map)
    guard count == 1 else { return }
    image.editIndex(block / Bitmap.entryCount, of: image.dataMap) { $0.freeCount += 1 }
    image.editRoot(of: image.dataMap) { $0.allocatedCount -= 1 }
  }

  /// Has some mapped data blocks count as free, or too low.
  private func lowerCounts(_ image: inout MetadataImage, _ random: inout SeededRandom) {
    // In one order, so that a seed brings back the same.
    let mapped = image.mappings.values.flatMap(\.values).map { Int($0.dataBlock) }.sorted()
    guard random.once(in: 2), !mapped.isEmpty else { return }
    let map = image.dataMap
    for _ in 0..<random.number(1...40) {
      let block = mapped.randomElement(using: &random) ?? 0
      let count = image.count(block, in: map)
      if count > 0, count < 3 { image.setCount(block, to: random.number(0..<count), in: map) }
    }
  }
}
