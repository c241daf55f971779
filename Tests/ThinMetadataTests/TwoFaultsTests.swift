import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Two blocks that are wrong at once: each can make up for what would tell of the other.
@Suite struct TwoFaultsTests {
  private static let images = [
    "snapshots", "power-cut", "reuse-ext4", "metadata-snapshot", "snapshots-of-snapshots",
  ]
  private static let rounds = 12

  /// What became of a pool of which two blocks are wrong: nothing that was not there may come back.
  private func expectNothingFalse(
    _ damaged: MetadataImage, like image: MetadataImage, _ place: Comment
  ) throws {
    // Of too little new metadata is not written.
    guard let rescue = try? Rescue(damaged) else { return }
    try rescue.expectSound(place)
    let after = rescue.output.mappings
    let whole = Set(rescue.salvage.results.filter(\.isWhole).map(\.id))
    for (device, before) in image.mappings {
      let now = after[device, default: [:]]
      #expect(isTrue(now, to: before), "\(place), device \(device)")
      #expect(now.count == before.count || !whole.contains(device), "\(place), device \(device)")
    }
  }

  @Test(arguments: images)
  func `an older content beside a lost block brings nothing wrong back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let blocks = LiableBlocks(image)
    var random = SeededRandom(usually: 1)
    for _ in 0..<TwoFaultsTests.rounds {
      guard let lie = BlockLie(image, blocks, &random, among: [.older]), lie.block != 0,
        let lost = blocks.other(than: lie.block, &random)
      else { continue }
      var damaged = lie.damaged
      damaged.zero(lost)
      try expectNothingFalse(
        damaged, like: image, "\(name), \(lie), block \(lost) lost, seed \(random.seed)")
    }
  }

  @Test(arguments: images)
  func `two older contents bring nothing wrong back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let blocks = LiableBlocks(image)
    var random = SeededRandom(usually: 1)
    for _ in 0..<TwoFaultsTests.rounds {
      guard let lie = BlockLie(image, blocks, &random, among: [.older]), lie.block != 0,
        let second = blocks.other(than: lie.block, &random),
        let old = blocks.superseded(like: second, in: image).randomElement(using: &random),
        let kind = image.withBlock(second, { BlockKind(of: $0) })
      else { continue }
      var damaged = lie.damaged
      damaged.copy(old, to: second)
      damaged.set(second, as: kind, BTreeNode.Layout.block, to: second)
      try expectNothingFalse(
        damaged, like: image, "\(name), \(lie), \(old) over \(second), seed \(random.seed)")
    }
  }

  @Test(arguments: images)
  func `two leaves with older contents of each other's keys bring nothing wrong back`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let blocks = LiableBlocks(image)
    var random = SeededRandom(usually: 1)
    let parents = image.devices.flatMap { image.internalNodes(below: $0.root) }
    let siblings = parents.map { $0.values.filter { image.node($0).isLeaf } }
      .filter { $0.count > 1 }
    guard !siblings.isEmpty else { return }
    for _ in 0..<TwoFaultsTests.rounds {
      guard let children = siblings.randomElement(using: &random) else { continue }
      let place = random.number(1..<children.count)
      let (lower, upper) = (children[place - 1], children[place])
      let split = image.node(upper).keys[0]
      let old = Dictionary(grouping: blocks.superseded(like: lower, in: image)) {
        (image.node($0).keys.first ?? 0) < split
      }
      guard let before = old[true]?.randomElement(using: &random),
        let behind = old[false]?.randomElement(using: &random)
      else { continue }
      var damaged = image
      for (from, to) in [(behind, lower), (before, upper)] {
        damaged.copy(from, to: to)
        damaged.set(to, as: .btreeNode, BTreeNode.Layout.block, to: to)
      }
      try expectNothingFalse(
        damaged, like: image,
        "\(name), \(behind) over \(lower), \(before) over \(upper), seed \(random.seed)")
    }
  }

  /// Counts may fit all the same: the wrong mapping has the reference that the lost leaf had.
  @Test(arguments: images, [Mapping.timeMaximum, nil] as [UInt32?])
  func `a mapping that lies beside a lost leaf is left out, or named`(
    name: String, time: UInt32?
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let leaves = Set(image.devices.flatMap { image.leaves(below: $0.root) }.map(\.block)).sorted()
      .filter { !image.node($0).keys.isEmpty }
    var random = SeededRandom(usually: 1)
    var lies = 0
    for _ in 0..<TwoFaultsTests.rounds {
      let (lost, lying, other) = (
        leaves[random.number(0..<leaves.count)], leaves[random.number(0..<leaves.count)],
        leaves[random.number(0..<leaves.count)]
      )
      guard Set([lost, lying, other]).count == 3 else { continue }
      let (own, others) = (image.node(lying), image.node(other))
      let (entry, target) = (
        random.number(0..<own.keys.count), random.number(0..<others.keys.count)
      )
      let (before, wrong) = (Mapping(own.values[entry]), Mapping(others.values[target]))
      // Of one virtual block they may be shared: then nothing tells.
      guard before.dataBlock != wrong.dataBlock, own.keys[entry] != others.keys[target]
      else { continue }
      lies += 1
      var damaged = image
      damaged.zero(lost)
      let value = Mapping(dataBlock: wrong.dataBlock, time: time ?? before.time)
      damaged.set(
        lying, as: .btreeNode, Field<UInt64>(at: own.valueOffset(entry)), to: value.value)
      try expectNothingSilent(
        damaged, like: image,
        "\(name), \(lost) lost, entry \(entry) of \(lying), seed \(random.seed)")
    }
    #expect(lies > 0, "seed \(random.seed)")
  }

  /// What is not as it was has to be named, and its device is not whole.
  private func expectNothingSilent(
    _ damaged: MetadataImage, like image: MetadataImage, _ place: Comment
  ) throws {
    guard let rescue = try? Rescue(damaged) else { return }
    let after = rescue.output.mappings
    let named = Dictionary(
      uniqueKeysWithValues: rescue.salvage.overwrittenData.devices.map {
        ($0.id, ($0.certain + $0.possible))
      })
    let whole = Set(rescue.salvage.results.filter(\.isWhole).map(\.id))
    for (device, before) in image.mappings {
      let wrong = after[device, default: [:]].filter {
        before[$0.key]?.dataBlock != $0.value.dataBlock
      }
      for key in wrong.keys.sorted() {
        #expect(
          named[device, default: []].contains { $0.contains(key) },
          "\(place), device \(device), \(key)")
      }
      #expect(wrong.isEmpty || !whole.contains(device), "\(place), device \(device)")
    }
  }
}
