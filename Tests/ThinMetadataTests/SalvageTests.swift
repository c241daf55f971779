import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Repair keeps all that can be reached and nothing else.
@Suite struct SalvageTests {
  private static let blocksPerFixture = 5

  /// What only the block led to may come back, where it can be told whose it is. What comes back
  /// must be as it was; a tree nobody can be named for comes under an id that was not in use.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `a block that is gone costs no more than what only it led to`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom()
    for block in image.allocatedBlocks.shuffled(using: &random).prefix(Self.blocksPerFixture) {
      var damaged = image
      damaged.zero(block)
      let place: Comment = "\(name), block \(block), seed \(random.seed)"
      let rescue = try Rescue(damaged)
      try rescue.expectSound(place)
      let before = image.mappings
      let reached = image.mappings(without: [block])
      let after = rescue.output.mappings
      for (device, mappings) in reached {
        let kept = after[device, default: [:]]
        #expect(mappings.allSatisfy { kept[$0.key] == $0.value }, "\(place), device \(device)")
      }
      for (device, mappings) in after {
        if let known = before[device] {
          #expect(isTrue(mappings, to: known), "\(place), device \(device)")
        } else {
          #expect(before.values.contains(mappings), "\(place), device \(device)")
        }
      }
    }
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `a mapping leaf that is gone takes no mapping of another leaf with it`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let leaves = image.devices.flatMap { image.leaves(below: $0.root) }.filter { !$0.keys.isEmpty }
    var random = SeededRandom()
    guard let lost = leaves.randomElement(using: &random) else { return }
    var damaged = image
    damaged.zero(lost.block)
    let place: Comment = "\(name), leaf \(lost.block), seed \(random.seed)"
    let rescue = try Rescue(damaged)
    try rescue.expectSound(place)

    let kept = rescue.output.mappings
    for (device, root) in image.devices {
      let hasLeaf = image.leaves(below: root).contains { $0.block == lost.block }
      let before = image.mappings(below: root)
      let after = kept[device, default: [:]]
      // Other leaves stay as they were; of the lost one what is there is true.
      let others = before.filter { !hasLeaf || !lost.keys.contains($0.key) }
      #expect(others.allSatisfy { after[$0.key] == $0.value }, place)
      #expect(isTrue(after, to: before), place)
      let result = try #require(rescue.salvage.results.first { $0.id == device })
      #expect(result.mappedBlocks == UInt64(after.count), place)
      #expect(result.kept.values.reduce(0, +) == result.mappedBlocks, place)
      #expect(result.kept[.proven, default: 0] == UInt64(after.count - others.count), place)
      let missing = before.keys.filter { after[$0] == nil }
      #expect(result.lost.isEmpty == missing.isEmpty, place)
      #expect(missing.allSatisfy { key in result.lost.contains { $0.contains(key) } }, place)
    }
  }

  @Test func `a flipped bit in a leaf costs nothing`() throws {
    let image = try MetadataImage(kernel: DamageCase.plain)
    var damaged = image
    damaged.damage(try image.leafPlace.leaf.block) { $0[Field<UInt8>(at: 2000)] ^= 8 }
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    #expect(rescue.output.mappings == image.mappings)
    #expect(rescue.salvage.results.allSatisfy { $0.lost.isEmpty })
  }

  @Test func `a sound pool comes out with the same devices, times and ids`() throws {
    for name in TestFiles.fixtureNames("kernel/thin") {
      let image = try MetadataImage(kernel: "thin/\(name)")
      let rescue = try Rescue(image)
      try rescue.expectSound("\(name)")
      #expect(rescue.output.mappings == image.mappings, "\(name)")
      #expect(rescue.output.allDetails == image.allDetails, "\(name)")
      let (before, after) = (image.superblock, rescue.output.superblock)
      #expect(after.time == before.time)
      #expect(after.transactionID == before.transactionID)
      #expect(after.dataBlockSectors == before.dataBlockSectors)
      #expect(after.dataSpaceMap.blockCount == before.dataSpaceMap.blockCount)
      #expect(after.flags == 0 && after.heldRoot == 0)
    }
  }

  @Test func `details that are lost are made anew, so that every block counts as shared`() throws {
    for name in ["snapshots", "three-levels", "many-devices", "ext4"] {
      let image = try MetadataImage(kernel: "thin/\(name)")
      let lost = try #require(image.leaves(below: image.superblock.detailsRoot).first)
      var damaged = image
      damaged.zero(lost.block)
      let rescue = try Rescue(damaged)
      try rescue.expectSound("\(name)")
      #expect(rescue.output.mappings == image.mappings, "\(name)")

      let rebuilt = rescue.salvage.results.filter(\.hasRebuiltDetails).map(\.id)
      #expect(rebuilt == lost.keys, "\(name)")
      let time = rescue.output.superblock.time
      #expect(time > image.superblock.time)
      for device in rescue.output.devices {
        let details = rescue.output.details(device.id)
        let mappings = rescue.output.mappings(below: device.root)
        #expect(details.mappedBlocks == UInt64(mappings.count))
        guard rebuilt.contains(device.id) else {
          #expect(details == image.details(device.id))
          continue
        }
        #expect(mappings.values.allSatisfy { $0.time < details.snapshottedTime })
        #expect(details.snapshottedTime <= time && details.creationTime <= time)
        #expect(details.transactionID <= rescue.output.superblock.transactionID)
      }
    }
  }

  @Test func `nothing is made of a device that never held a pool`() throws {
    var random = SeededRandom()
    let noise = MetadataImage((0..<64 * 4096).map { _ in random.number(0...255) })
    let zeroes = MetadataImage([UInt8](repeating: 0, count: 64 * 4096))
    let cache = try MetadataImage(kernel: "cache/cache-v2")
    let era = try MetadataImage(kernel: "era/era")
    for image in [noise, zeroes, cache, era] {
      #expect(throws: SalvageError.self) { try Rescue(image) }
    }
  }

  @Test func `that nothing is left is told from a pool in which nothing was`() throws {
    func salvage(_ image: MetadataImage) throws -> Salvage {
      try Rescue(image).salvage
    }
    // An empty pool without its list of devices: that of their details is whole, and empty.
    var empty = try MetadataImage(kernel: "thin/fresh")
    empty.zero(empty.superblock.mappingRoot)
    #expect(try !salvage(empty).bringsNothingBack)
    empty.zero(empty.superblock.detailsRoot)
    #expect(try salvage(empty).bringsNothingBack)

    // Other devices' details say that there is no other device.
    var unlisted = try MetadataImage(kernel: "thin/thins")
    unlisted.zero(unlisted.superblock.mappingRoot)
    let whole = try salvage(unlisted)
    #expect(whole.results.count == 4 && whole.lostIDs.isEmpty)
    #expect(!whole.hasLosses && !whole.bringsNothingBack)

    var bare = try MetadataImage(kernel: "thin/thins")
    for (_, root) in bare.devices {
      for leaf in bare.leaves(below: root) { bare.zero(leaf.block) }
    }
    #expect(try salvage(bare).bringsNothingBack, "its devices are known, and nothing of theirs")
    bare.zero(bare.superblock.mappingRoot)
    #expect(try salvage(bare).bringsNothingBack)
  }

  /// The first leaf of a tree does not have to be there to tell what kind of tree it is, nor all
  /// leaves to tell whose.
  @Test func `a tree with a damaged leaf goes back to its device though the list is lost`() throws {
    let image = try MetadataImage(kernel: "thin/ext4")
    let list = image.superblock.mappingRoot
    for (device, root) in image.devices {
      for leaf in image.leaves(below: root) {
        var damaged = image
        damaged.zero(list)
        damaged.zero(leaf.block)
        let place: Comment = "device \(device), leaf \(leaf.block)"
        let rescue = try Rescue(damaged)
        try rescue.expectSound(place)
        let grafting = rescue.salvage.grafting
        #expect(grafting.damagedBlocks.map(\.block) == [list, leaf.block].sorted(), place)
        #expect(grafting.damagedBlocks.allSatisfy { $0.look == .zeroed }, place)
        // What several trees lack, two of them can lack as much of.
        let owners = image.devices.count { device in
          image.leaves(below: device.root).contains { $0.block == leaf.block }
        }
        if owners > 1 { continue }
        #expect(grafting.madeUpDevices == [], place)
        #expect(rescue.output.mappings == image.mappings(without: [leaf.block]), place)
      }
    }
  }
}
