import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Whole parts of a pool's metadata are gone: what must come back all the same.
@Suite struct DisasterTests {
  /// Everything that can still be reached without the blocks that are gone, and nothing untrue.
  private func expectReachable(
    _ image: MetadataImage, without lost: Set<UInt64>, in rescue: Rescue, _ place: Comment
  ) throws {
    try rescue.expectSound(place)
    let after = rescue.output.mappings
    for (device, mappings) in image.mappings(without: lost) {
      let kept = after[device, default: [:]]
      #expect(mappings.allSatisfy { kept[$0.key] == $0.value }, "\(place), device \(device)")
    }
    let before = image.mappings
    let anybodys = Array(before.values) + Array(image.heldMappings.values)
    for (device, mappings) in after {
      if let known = before[device] {
        #expect(isTrue(mappings, to: known), "\(place), device \(device)")
      } else {
        // Kept under an id that was not in use: somebody's mappings, as they were.
        #expect(anybodys.contains { isTrue(mappings, to: $0) }, "\(place), device \(device)")
      }
    }
  }

  /// The superblock, and the copies of it that metadata snapshots keep, old ones too.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `without any copy of the superblock everything comes back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var damaged = image
    for block in 0..<UInt64(image.blockCount)
    where image.withBlock(block, { BlockKind(of: $0) }) == .thinSuperblock {
      damaged.zero(block)
    }
    let rescue = try Rescue(withoutSuperblock: damaged, sizedLike: image)
    try rescue.expectSound("\(name)")
    #expect(rescue.output.mappings == image.mappings)
    #expect(rescue.output.allDetails == image.allDetails)
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `without the space maps everything comes back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var damaged = image
    for map in [image.dataMap, image.metadataMap] {
      for node in image.nodes(below: map.root.refCountRoot) { damaged.zero(node.block) }
      for entry in map.entries {
        damaged.zero(entry.entry.block)
        damaged.zero(entry.block)
      }
      damaged.zero(map.root.bitmapRoot)
    }
    let rescue = try Rescue(damaged)
    try rescue.expectSound("\(name)")
    #expect(rescue.output.mappings == image.mappings)
    #expect(rescue.output.allDetails == image.allDetails)
  }

  /// Somebody made a partition and a file system on the wrong device: a partition table in the
  /// first sector, ext4's superblock at 1 KiB, and zeroes up to 64 KiB.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `with 64 KiB overwritten at the start, what they did not hold comes back`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var damaged = image
    let overwritten = Set<UInt64>(0..<16)
    for block in overwritten { damaged.zero(block) }
    damaged.damage(0) { bytes in
      bytes[Field<UInt16>(at: 510)] = 0xAA55
      bytes[Field<UInt16>(at: 1024 + 56)] = 0xEF53
    }
    let rescue: Rescue
    do {
      rescue = try Rescue(withoutSuperblock: damaged, sizedLike: image, keepingBlock0: true)
    } catch let error as SalvageError {
      // Only where the blocks that lead into the pool were among them.
      switch error {
      case .nothingFound, .newestStateDamaged: break
      default: throw error
      }
      let leading =
        image.nodes(below: image.superblock.mappingRoot).map(\.block)
        + image.nodes(below: image.superblock.detailsRoot).map(\.block)
        + [image.superblock.metadataSpaceMap.bitmapRoot]
        + image.metadataMap.entries.map(\.entry.block)
      #expect(!overwritten.isDisjoint(with: leading), "\(name)")
      return
    }
    #expect(rescue.salvage.search != nil)
    if rescue.salvage.search?.isDoubtful == true { return }
    try expectReachable(image, without: overwritten, in: rescue, "\(name)")
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `with 20 blocks overwritten, what can be reached comes back and nothing untrue`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom()
    for round in 0..<3 {
      // Half of them in use, so that it hurts; the superblock has a test of its own.
      let used = image.allocatedBlocks.shuffled(using: &random).prefix(10)
      let any = (0..<10).map { _ in random.number(1..<UInt64(image.blockCount)) }
      var damaged = image
      for block in Set(used + any) {
        damaged.damage(block) { bytes in
          for offset in stride(from: 0, to: MetadataBlock.size, by: 8) {
            bytes[Field<UInt64>(at: offset)] = random.next()
          }
        }
      }
      try expectReachable(
        image, without: Set(used + any), in: try Rescue(damaged),
        "\(name), round \(round), seed \(random.seed)")
    }
  }
}

/// What must not come back: trees that nobody in the live pool has.
@Suite struct MadeUpDeviceTests {
  /// The metadata snapshot still has device 1, which was deleted. With its copy of the superblock
  /// lost, its list of devices looks like a child of the live list's lost root.
  @Test func `a device that only the metadata snapshot has does not come back to life`() throws {
    let image = try MetadataImage(kernel: "thin/metadata-snapshot")
    let gone = Set(image.heldMappings.keys).subtracting(image.devices.map(\.id))
    try #require(!gone.isEmpty)
    var damaged = image
    damaged.zero(image.superblock.heldRoot)
    damaged.zero(image.superblock.mappingRoot)
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    #expect(gone.isDisjoint(with: rescue.output.devices.map(\.id)))
    for (device, mappings) in rescue.output.mappings {
      guard let known = image.mappings[device] else { continue }
      #expect(isTrue(mappings, to: known), "device \(device)")
    }
  }

  /// The list of details has more than one level here: what hung on its lost root is intact.
  @Test func `with the root of the details lost, no details are made anew`() throws {
    let image = try MetadataImage(kernel: "thin/many-devices")
    try #require(!image.node(image.superblock.detailsRoot).isLeaf)
    var damaged = image
    damaged.zero(image.superblock.detailsRoot)
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    #expect(rescue.output.allDetails == image.allDetails)
    #expect(rescue.output.mappings == image.mappings)
  }

  /// An old list may name a tree that a snapshot has today, and the device another.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `with the list of devices and a tree lost, no device gets another's tree`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom()
    let before = image.mappings
    let somebodys = Array(before.values) + Array(image.heldMappings.values)
    for lost in image.devices.shuffled(using: &random).prefix(6) {
      var damaged = image
      for node in image.nodes(below: image.superblock.mappingRoot) { damaged.zero(node.block) }
      damaged.zero(lost.root)
      let rescue = try Rescue(damaged)
      let place: Comment = "\(name), device \(lost.id), seed \(random.seed)"
      try rescue.expectSound(place)
      for (device, mappings) in rescue.output.mappings {
        if rescue.salvage.grafting.madeUpDevices.contains(device) {
          #expect(somebodys.contains { isTrue(mappings, to: $0) }, "\(place), device \(device)")
        } else {
          let known = before[device, default: [:]]
          #expect(isTrue(mappings, to: known), "\(place), device \(device)")
        }
      }
    }
  }

  /// A made-up id is one that no device ever had: it must not pass for one that is lost.
  @Test func `an id that a device once had is not made up for another`() throws {
    let image = try MetadataImage(kernel: "thin/thins")
    let ids = image.devices.map(\.id)
    try #require(ids.contains(DeviceDetails.deviceIDMaximum))
    var damaged = image
    damaged.zero(image.superblock.mappingRoot)
    damaged.zero(image.superblock.detailsRoot)
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    #expect(!rescue.salvage.grafting.madeUpDevices.isEmpty)
    #expect(Set(rescue.salvage.grafting.madeUpDevices).isDisjoint(with: ids))
  }

  /// A list of devices some of whose trees are lost is a list all the same, and no tree.
  @Test func `with the list's root and a tree lost, the rest of the list comes back`() throws {
    let image = try MetadataImage(kernel: "thin/many-devices")
    let mapped = try #require(image.devices.first { !image.mappings(below: $0.root).isEmpty })
    var damaged = image
    damaged.zero(image.superblock.mappingRoot)
    damaged.zero(mapped.root)
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    #expect(rescue.salvage.grafting.madeUpDevices == [])
    for (device, mappings) in image.mappings where device != mapped.id {
      #expect(rescue.output.mappings[device] == mappings, "device \(device)")
    }
  }
}
