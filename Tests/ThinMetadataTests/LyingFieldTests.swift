import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Single keys, values and ids that are wrong under a checksum that fits; and, at random, every way
/// in which one block can lie.
@Suite struct LyingFieldTests {
  private static let images = ["snapshots", "power-cut", "reuse-ext4", "metadata-snapshot"]

  private func count(_ mappings: [UInt64: [UInt64: Mapping]]) -> Int {
    mappings.values.reduce(0) { $0 + $1.count }
  }

  /// Whatever is brought back is as it was, and what is called whole is all there.
  private func expectTruth(
    _ rescue: Rescue, _ image: MetadataImage, _ place: Comment
  ) throws {
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
  func `an entry that maps another data block is not believed`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom(usually: 1)
    let leaves = image.devices.flatMap { image.leaves(below: $0.root) }.filter { !$0.keys.isEmpty }
    for _ in 0..<6 {
      let leaf = try #require(leaves.randomElement(using: &random))
      let entry = random.number(0..<leaf.keys.count)
      let truth = Mapping(leaf.values[entry])
      let target = random.number(0..<image.superblock.dataSpaceMap.blockCount)
      if target == truth.dataBlock { continue }
      var damaged = image
      damaged.set(
        leaf.block, as: .btreeNode, leaf.value(entry),
        to: Mapping(dataBlock: target, time: truth.time).value)
      let place: Comment =
        "\(name), block \(leaf.block), entry \(entry), to \(target), seed \(random.seed)"
      let rescue = try Rescue(damaged)
      try expectTruth(rescue, image, place)
      let lost = count(image.mappings) - count(rescue.output.mappings)
      let holders = image.devices.count { device in
        image.leaves(below: device.root).contains { $0.block == leaf.block }
      }
      // The entry, or those that may be it: each of a leaf that so many devices have.
      #expect(lost <= 2 * image.devices.count, "\(place), \(holders) devices")
    }
  }

  @Test(arguments: images)
  func `a key that cuts off some of a child's keys costs nothing`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom(usually: 1)
    let nodes = image.devices.flatMap { image.internalNodes(below: $0.root) }
    for node in nodes.shuffled(using: &random).prefix(3) where node.keys.count > 1 {
      let entry = random.number(1..<node.keys.count)
      let child = image.node(node.values[entry])
      guard child.keys.count > 3 else { continue }
      let key = child.keys[random.number(2..<child.keys.count)]
      var damaged = image
      damaged.set(node.block, as: .btreeNode, node.key(entry), to: key)
      let place: Comment =
        "\(name), block \(node.block), entry \(entry), to \(key), seed \(random.seed)"
      let rescue = try Rescue(damaged)
      try expectTruth(rescue, image, place)
      #expect(count(rescue.output.mappings) == count(image.mappings), "\(place)")
    }
  }

  @Test(arguments: images)
  func `a leaf with another number of places than kernels give it is read right`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom(usually: 1)
    let leaves = image.devices.flatMap { image.leaves(below: $0.root) }
      .filter { !$0.keys.isEmpty && $0.keys.count < 250 }
    for _ in 0..<3 {
      let leaf = try #require(leaves.randomElement(using: &random))
      var damaged = image
      let count = UInt32(random.number(max(leaf.keys.count, 240)..<252))
      damaged.set(leaf.block, as: .btreeNode, BTreeNode.Layout.maxEntries, to: count)
      let rescue = try Rescue(damaged)
      try expectTruth(
        rescue, image, "\(name), block \(leaf.block) with \(count), seed \(random.seed)")
    }
  }

  @Test(arguments: images, [true, false])
  func `a device with two ids keeps its tree under both`(name: String, isInDetails: Bool) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let root = isInDetails ? image.superblock.detailsRoot : image.superblock.mappingRoot
    let leaf = try #require(image.leaves(below: root).last)
    let id = try #require(leaf.keys.last)
    var damaged = image
    damaged.set(leaf.block, as: .btreeNode, leaf.key(leaf.keys.count - 1), to: id + 1000)
    let rescue = try Rescue(damaged)
    try rescue.expectSound("\(name)")
    let after = rescue.output.mappings
    for device in [id, id + 1000] {
      #expect(isTrue(after[device, default: [:]], to: image.mappings[id, default: [:]]), "\(name)")
      #expect(after[device]?.count == image.mappings[id]?.count, "\(name)")
      let result = rescue.salvage.results.first { $0.id == device }
      #expect(result?.isDoubtful == true && result?.isWhole == false, "\(name)")
      // Both share every block now.
      let latest = after[device]?.values.map(\.time).max() ?? 0
      #expect(rescue.output.details(device).snapshottedTime > latest, "\(name)")
    }
  }

  @Test func `a metadata snapshot's superblock in block 0 is not the pool's`() throws {
    let image = try MetadataImage(kernel: "thin/metadata-snapshot")
    var damaged = image
    damaged.copy(image.superblock.heldRoot, to: 0)
    damaged.set(0, as: .thinSuperblock, Superblock.Layout.block, to: 0)
    let rescue = try Rescue(withoutSuperblock: damaged, sizedLike: image, keepingBlock0: true)
    try expectTruth(rescue, image, "block 0")
    #expect(count(rescue.output.mappings) == count(image.mappings))
  }

  @Test func `a leaf that another pool left on the device is not believed`() throws {
    let image = try MetadataImage(kernel: "thin/reuse-all")
    let leaf = image.leaves(below: try #require(image.devices.first).root)[0]
    let list = image.leaves(below: image.superblock.mappingRoot)[0]
    var damaged = image
    damaged.copy(list.block, to: leaf.block)
    damaged.set(leaf.block, as: .btreeNode, BTreeNode.Layout.block, to: leaf.block)
    let salvage = try Salvage(
      damaged.open(try Scratch(), .read, .salvage, name: "input"), overriding: PoolOverrides())
    #expect(salvage.bringsNothingBack)
  }

  /// What is wrong afterwards, or missing of a device that is called whole, has to be of a kind
  /// that one image can't tell.
  @Test(arguments: images)
  func `of one block that lies nothing is believed but what can't be told`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let blocks = LiableBlocks(image)
    var random = SeededRandom(usually: 1)
    var overrides = PoolOverrides()
    overrides.dataBlockSectors = image.superblock.dataBlockSectors
    overrides.dataBlockCount = image.superblock.dataSpaceMap.blockCount
    for _ in 0..<40 {
      guard let lie = BlockLie(image, blocks, &random) else { continue }
      guard
        let rescue = try? Rescue(
          lie.damaged, overriding: lie.block == 0 ? overrides : PoolOverrides())
      else { continue }
      let times = UndecidableLie.laterTimes(lie.block, lie.damaged, truth: image)
      let after = rescue.output.mappings.mapValues { mappings in
        mappings.mapValues { mapping in
          times[mapping.dataBlock] == mapping.time
            ? Mapping(dataBlock: mapping.dataBlock, time: 0) : mapping
        }
      }
      let whole = Set(rescue.salvage.results.filter(\.isWhole).map(\.id))
      let isTruth = image.mappings.allSatisfy { device, before in
        let now = after[device, default: [:]]
        return isTrue(now, to: before) && (now.count == before.count || !whole.contains(device))
      }
      let place: Comment = "\(name), \(lie), seed \(random.seed)"
      #expect(
        isTruth || UndecidableLie(lie.block, lie.damaged, truth: image) != nil, "\(place)")
      try rescue.expectSound(place)
    }
  }
}
