import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Blocks whose checksum fits and whose content is not what belongs there.
@Suite struct LyingBlockTests {
  private static let images = ["snapshots", "power-cut", "reuse-ext4", "discard-crash"]

  /// Repairs; whatever comes back has to be as it was. Returns what was kept of all mappings.
  private func repair(
    _ damaged: MetadataImage, like image: MetadataImage, _ place: Comment
  ) throws -> (rescue: Rescue, kept: Int) {
    let rescue = try Rescue(damaged)
    try rescue.expectSound(place)
    var kept = 0
    let after = rescue.output.mappings
    for (device, before) in image.mappings {
      var now = after[device, default: [:]]
      if !isTrue(now, to: before) {
        // A leaf that maps what leaked says nothing that any count contradicts.
        let leaked = UndecidableLie.leakedBlocks(image)
        now = now.filter { !leaked.contains($0.value.dataBlock) }
      }
      #expect(isTrue(now, to: before), "\(place), device \(device)")
      kept += now.count
    }
    return (rescue, kept)
  }

  private func count(_ image: MetadataImage) -> Int {
    image.mappings.values.reduce(0) { $0 + $1.count }
  }

  private func wholeDevices(_ rescue: Rescue) -> Set<UInt64> {
    Set(rescue.salvage.results.filter(\.isWhole).map(\.id))
  }

  @Test(arguments: images)
  func `a bitmap in another's place is no evidence`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let data = image.dataMap.entries.map(\.entry.block)
    let metadata = image.metadataMap.entries.map(\.entry.block)
    let nodes = image.devices.flatMap { image.internalNodes(below: $0.root) }.map(\.block)
    var random = SeededRandom(usually: 1)
    let lost = try #require(nodes.sorted().randomElement(using: &random))
    for (target, source) in [(metadata[0], data[0]), (data[0], metadata[0])] {
      var damaged = image
      damaged.copy(source, to: target)
      damaged.zero(lost)
      let place: Comment = "\(name), \(source) in place of \(target), seed \(random.seed)"
      let (rescue, _) = try repair(damaged, like: image, place)
      let maps = OldSpaceMaps(rescue.salvage, isComparing: false)
      #expect(maps.damagedBlocks.contains { $0.block == target }, "\(place)")
    }
  }

  /// Makes one pointer of a node lead elsewhere.
  private func leadAstray(
    _ node: ImageNode, _ entry: Int, to target: UInt64, in image: MetadataImage
  ) -> MetadataImage {
    var damaged = image
    damaged.set(node.block, as: .btreeNode, node.value(entry), to: target)
    return damaged
  }

  /// Pointers of internal nodes to what is no node, or nobody's, can be told from others: they cost
  /// nothing. One to another node in use may contradict as much as it explains, and of two devices
  /// that are alike nothing may tell whose tree is lost: then it may cost mappings.
  @Test(arguments: images)
  func `a pointer that leads astray brings nothing wrong back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom(usually: 1)
    let nodes =
      image.devices.flatMap { image.internalNodes(below: $0.root) }
      + image.leaves(below: image.superblock.mappingRoot)
    let leaves = image.devices.flatMap { image.leaves(below: $0.root) }
    for node in nodes.shuffled(using: &random).prefix(3) {
      let entry = random.number(0..<node.keys.count)
      let free = (1..<UInt64(image.blockCount)).last {
        image.count(Int($0), in: image.metadataMap) == 0
      }
      let other = leaves.shuffled(using: &random).first { $0.block != node.values[entry] }
      let nowhere = [UInt64(image.blockCount) + 7, 0, node.block, free].compactMap(\.self)
      let inUse = [
        other?.block, image.superblock.detailsRoot, image.metadataMap.entries[0].entry.block,
      ].compactMap(\.self)
      for target in nowhere + inUse where target != node.values[entry] {
        let place: Comment =
          "\(name), block \(node.block), entry \(entry), to \(target), seed \(random.seed)"
        let damaged = leadAstray(node, entry, to: target, in: image)
        let (rescue, kept) = try repair(damaged, like: image, place)
        let canCost = node.isLeaf || inUse.contains(target)
        #expect(kept == count(image) || canCost, "\(place)")
        let after = rescue.output.mappings
        let complete = image.mappings.filter { after[$0.key, default: [:]] == $0.value }
        #expect(wholeDevices(rescue).isSubset(of: complete.keys), "\(place)")
      }
    }
  }

  @Test(arguments: images)
  func `a superblock that leads to wrong nodes costs nothing`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom(usually: 1)
    let nodes = image.devices.flatMap { image.nodes(below: $0.root) }.map(\.block)
    for field in [Superblock.Layout.mappingRoot, Superblock.Layout.detailsRoot] {
      let target = try #require(nodes.randomElement(using: &random))
      var damaged = image
      damaged.set(0, as: .thinSuperblock, field, to: target)
      let place: Comment = "\(name), to \(target), seed \(random.seed)"
      let (_, kept) = try repair(damaged, like: image, place)
      #expect(kept == count(image), "\(place)")
    }
  }

  @Test(arguments: images)
  func `a metadata snapshot that leads into live trees costs these nothing`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom(usually: 1)
    let nodes =
      image.devices.flatMap { image.nodes(below: $0.root) }.map(\.block)
      + [image.superblock.mappingRoot, image.superblock.detailsRoot]
    let target = try #require(nodes.randomElement(using: &random))
    var damaged = image
    damaged.set(0, as: .thinSuperblock, Superblock.Layout.heldRoot, to: target)
    let place: Comment = "\(name), to \(target), seed \(random.seed)"
    let (rescue, kept) = try repair(damaged, like: image, place)
    #expect(kept == count(image), "\(place)")
    #expect(wholeDevices(rescue) == Set(image.devices.map(\.id)), "\(place)")
  }

  /// A write that was lost leaves what stood there before; of that the device still has copies.
  @Test(arguments: images)
  func `an older content brings nothing wrong back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom(usually: 1)
    let used = image.devices.flatMap { image.nodes(below: $0.root) }
    let free = (1..<UInt64(image.blockCount)).filter {
      image.count(Int($0), in: image.metadataMap) == 0
        && image.withBlock($0) { BlockKind(of: $0) } == .btreeNode
    }.map { image.node($0) }.filter { $0.valueSize == 8 && !$0.keys.isEmpty }
    for _ in 0..<6 {
      let node = try #require(used.randomElement(using: &random))
      guard let old = free.filter({ $0.isLeaf == node.isLeaf }).randomElement(using: &random)
      else { continue }
      var damaged = image
      damaged.copy(old.block, to: node.block)
      damaged.set(node.block, as: .btreeNode, BTreeNode.Layout.block, to: node.block)
      let place: Comment = "\(name), \(old.block) over \(node.block), seed \(random.seed)"
      let own = Set(node.isLeaf ? node.keys : [])
      let (_, kept) = try repair(damaged, like: image, place)
      // A leaf has as many mappings as devices lead to it.
      let holders = image.devices.count { device in
        image.leaves(below: device.root).contains { $0.block == node.block }
      }
      let outside = count(image) - holders * own.count
      // Where two leaves map the same blocks either may lie, and neither is believed.
      #expect(kept >= outside * 9 / 10, "\(place)")
    }
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `a sound pool has nothing that lies`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let rescue = try Rescue(image)
    #expect(rescue.salvage.grafting.damagedBlocks.isEmpty, "\(name)")
    #expect(!rescue.salvage.grafting.isOpen, "\(name)")
    #expect(rescue.output.mappings == image.mappings, "\(name)")
  }
}
