import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// A number or a time that can't be true costs no mapping, and what a device lacks is said.
@Suite struct BelievedNumbersTests {
  private static let pools = ["snapshots-of-snapshots", "three-levels", "thins", "power-cut"]

  private func pool(_ name: String) throws -> MetadataImage {
    try MetadataImage(kernel: "thin/\(name)")
  }

  /// The distinct leaves of live devices that map something.
  private func leaves(_ image: MetadataImage) -> [ImageNode] {
    var seen: Set<UInt64> = []
    return image.devices.flatMap { image.leaves(below: $0.root) }
      .filter { !$0.keys.isEmpty && seen.insert($0.block).inserted }
  }

  private func dataBlocks(_ mappings: [UInt64: [UInt64: Mapping]]) -> [UInt64: [UInt64: UInt64]] {
    mappings.mapValues { $0.mapValues(\.dataBlock) }
  }

  // MARK: Data blocks

  @Test(arguments: pools)
  func `a number of data blocks that is too low costs no mapping`(name: String) throws {
    let image = try pool(name)
    let highest = leaves(image).flatMap(\.values).map { Mapping($0).dataBlock }.max() ?? 0
    for count in [0, 1, highest / 2, highest] {
      var damaged = image
      damaged.editRoot(of: image.dataMap) { $0.blockCount = count }
      let place: Comment = "\(name), \(count) data blocks"
      let rescue = try Rescue(damaged)
      try rescue.expectSound(place, allowing: [.dataFull])
      #expect(rescue.output.mappings == image.mappings, place)
      #expect(rescue.output.superblock.dataSpaceMap.blockCount == highest + 1, place)
      #expect(rescue.salvage.corrections.dataBlockCountBefore == count, place)
      #expect(rescue.salvage.results.allSatisfy { $0.isWhole }, place)

      var overrides = PoolOverrides()
      overrides.dataBlockCount = image.superblock.dataSpaceMap.blockCount
      let given = try Rescue(damaged, overriding: overrides)
      #expect(given.output.mappings == image.mappings, place)
      #expect(given.output.superblock.dataSpaceMap.blockCount == overrides.dataBlockCount, place)
    }
  }

  @Test func `a mapping to a data block that no bitmap counts raises no number`() throws {
    let image = try pool("snapshots-of-snapshots")
    let count = image.superblock.dataSpaceMap.blockCount
    let leaf = try #require(leaves(image).first)
    for block in [count, count + 40_000, Mapping.dataBlockMaximum] {
      var damaged = image
      damaged.set(
        leaf.block, as: .btreeNode, leaf.value(3), to: Mapping(dataBlock: block, time: 0).value)
      let rescue = try Rescue(damaged)
      try rescue.expectSound("data block \(block)")
      #expect(rescue.output.superblock.dataSpaceMap.blockCount == count)
      #expect(rescue.salvage.corrections.dataBlockCountBefore == nil)
      let short = rescue.salvage.results.filter { !$0.isWhole }
      #expect(!short.isEmpty && short.allSatisfy { $0.mappedBlocks + 1 == $0.mappedBlocksBefore })
    }
  }

  // MARK: Times

  /// What kernels rely on: a block that several have is older than the last snapshot of each.
  private func expectSharedBlocksCopied(_ rescue: Rescue, _ place: Comment) {
    let mappings = rescue.output.mappings
    var users: [UInt64: Int] = [:]
    for mapping in mappings.values.joined() { users[mapping.value.dataBlock, default: 0] += 1 }
    for (device, own) in mappings {
      let snapshotted = rescue.output.details(device).snapshottedTime
      #expect(
        own.values.allSatisfy { users[$0.dataBlock] == 1 || $0.time < snapshotted },
        "\(place), device \(device)")
    }
  }

  @Test(arguments: pools)
  func `a mapping that is newer than the pool keeps its data block, and the pool its time`(
    name: String
  ) throws {
    let image = try pool(name)
    let time = image.superblock.time
    var random = SeededRandom()
    for late in [time + 1, time + 300, Mapping.timeMaximum - 1, Mapping.timeMaximum] {
      let leaf = try #require(leaves(image).randomElement(using: &random))
      let entry = random.number(0...leaf.keys.count - 1)
      var damaged = image
      let mapping = Mapping(leaf.values[entry])
      damaged.set(
        leaf.block, as: .btreeNode, leaf.value(entry),
        to: Mapping(dataBlock: mapping.dataBlock, time: late).value)
      let place: Comment = "\(name), leaf \(leaf.block), time \(late), seed \(random.seed)"
      let rescue = try Rescue(damaged)
      try rescue.expectSound(place)
      #expect(rescue.output.superblock.time == time, place)
      #expect(dataBlocks(rescue.output.mappings) == dataBlocks(image.mappings), place)
      #expect(rescue.salvage.corrections.lateMappings == 1, place)
      expectSharedBlocksCopied(rescue, place)
      // All mappings of a data block have one time.
      let times = Set(
        rescue.output.mappings.values.joined().filter {
          $0.value.dataBlock == mapping.dataBlock
        }.map(\.value.time))
      #expect(times.count == 1, place)
    }
  }

  @Test(arguments: ["snapshots-of-snapshots", "many-devices", "ext4"])
  func `times of many devices at once raise the pool's by one at most`(name: String) throws {
    let image = try pool(name)
    for late in [UInt32.max, Mapping.timeMaximum, image.superblock.time + 1000] {
      for field in [DeviceDetails.Layout.creationTime, DeviceDetails.Layout.snapshottedTime] {
        var damaged = image
        for device in image.devices {
          let (block, offset) = image.detailsPlace(device.id)
          damaged.set(block, as: .btreeNode, field.shifted(by: offset), to: late)
        }
        let place: Comment = "\(name), time \(late)"
        let rescue = try Rescue(damaged)
        try rescue.expectSound(place)
        #expect(rescue.output.superblock.time <= image.superblock.time + 1, place)
        #expect(rescue.output.mappings == image.mappings, place)
        #expect(rescue.salvage.corrections.lateDevices == image.devices.map(\.id), place)
        expectSharedBlocksCopied(rescue, place)
      }
    }
  }

  @Test func `without a superblock too, one time alone raises the pool's by one at most`() throws {
    let image = try pool("snapshots-of-snapshots")
    for late in [image.superblock.time + 2, Mapping.timeMaximum] {
      var damaged = image
      let leaf = try #require(leaves(image).last)
      let dataBlock = Mapping(leaf.values[0]).dataBlock
      damaged.set(
        leaf.block, as: .btreeNode, leaf.value(0),
        to: Mapping(dataBlock: dataBlock, time: late).value)
      let rescue = try Rescue(withoutSuperblock: damaged)
      try rescue.expectSound("time \(late)")
      #expect(rescue.output.superblock.time <= image.superblock.time + 1)
      #expect(dataBlocks(rescue.output.mappings) == dataBlocks(image.mappings))
      expectSharedBlocksCopied(rescue, "time \(late)")
    }
  }

  @Test func `a pool's time after which no snapshot fits is taken back to what devices show`()
    throws
  {
    var image = try pool("snapshots-of-snapshots")
    let (time, mappings) = (image.superblock.time, image.mappings)
    image.set(0, as: .thinSuperblock, Superblock.Layout.time, to: Mapping.timeMaximum)
    let rescue = try Rescue(image)
    try rescue.expectSound("")
    #expect(rescue.output.superblock.time == time)
    #expect(rescue.output.mappings == mappings)
    #expect(rescue.salvage.corrections.timeBefore == Mapping.timeMaximum)
  }

  @Test func `a pool's time that several others show to be too low is raised to theirs`() throws {
    var image = try pool("snapshots-of-snapshots")
    let (time, mappings, details) = (image.superblock.time, image.mappings, image.allDetails)
    image.set(0, as: .thinSuperblock, Superblock.Layout.time, to: time - 4)
    let rescue = try Rescue(image)
    try rescue.expectSound("")
    #expect(rescue.output.superblock.time == time)
    #expect(rescue.output.mappings == mappings)
    #expect(rescue.output.allDetails == details)
  }

  // MARK: What is whole

  @Test(arguments: pools)
  func `a device whose details give another number of mappings is not called whole`(
    name: String
  ) throws {
    let image = try pool(name)
    for difference in [7, -1] {
      var damaged = image
      for device in image.devices.prefix(2) {
        let (block, offset) = image.detailsPlace(device.id)
        let count = Int(image.details(device.id).mappedBlocks) + difference
        damaged.set(
          block, as: .btreeNode, DeviceDetails.Layout.mappedBlocks.shifted(by: offset),
          to: UInt64(max(count, 0)))
      }
      let rescue = try Rescue(damaged)
      try rescue.expectSound("\(name), \(difference)")
      #expect(rescue.output.mappings == image.mappings)
      let odd = rescue.salvage.results.filter { !$0.isWhole }
      #expect(odd.map(\.id) == image.devices.prefix(2).map(\.id), "\(name), \(difference)")
      #expect(odd.allSatisfy { $0.lost.isEmpty && $0.hasLosses == (difference > 0) })
      let lines = SalvageSummary(
        rescue.salvage, OldSpaceMaps(rescue.salvage, isComparing: true)
      ).lines
      for device in odd {
        let before = device.mappedBlocksBefore ?? 0
        let wanted =
          difference > 0
          ? "Device \(device.id): kept \(device.mappedBlocks) of \(before) mappings; where"
          : "Device \(device.id): kept \(device.mappedBlocks) mappings; its details say \(before)."
        #expect(lines.contains { $0.hasPrefix(wanted) }, "\(name): \(lines)")
      }
      let whole = image.devices.count - 2
      let total = "\(whole) of \(image.devices.count) devices are whole."
      #expect(lines.contains { $0.hasSuffix(total) }, "\(name): \(lines)")
    }
  }

  /// Also where a metadata snapshot, which new metadata has not, maps what no device does.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `data blocks that nothing maps any more are told, all of them and no others`(
    name: String
  ) throws {
    let image = try pool(name)
    let map = image.dataMap
    let used = Set((0..<Int(map.root.blockCount)).filter { image.count($0, in: map) > 0 })
    var random = SeededRandom()
    let lost = leaves(image).map(\.block).shuffled(using: &random).prefix(2)
    for blocks in [[], Array(lost)] {
      var damaged = image
      for block in blocks { damaged.zero(block) }
      let rescue = try Rescue(damaged)
      let mapped = Set(rescue.output.mappings.values.joined().map { Int($0.value.dataBlock) })
      let told = OldSpaceMaps(rescue.salvage, isComparing: true)
      let place: Comment = "\(name), leaves \(blocks), seed \(random.seed)"
      #expect(told.isComplete, place)
      let listed = Set(told.unmapped.flatMap { Int($0.lowerBound)...Int($0.upperBound) })
      #expect(listed == used.subtracting(mapped), place)
    }
  }

  @Test(arguments: ["snapshots", "reuse-same-leaf"])
  func `an empty pool is not made of one whose trees nothing leads to`(name: String) throws {
    var image = try pool(name)
    let empty = try pool("fresh")
    // The roots lead to lists without a device; the counts have the true trees in use.
    for (root, field) in [
      (empty.superblock.mappingRoot, Superblock.Layout.mappingRoot),
      (empty.superblock.detailsRoot, Superblock.Layout.detailsRoot),
    ] {
      let spare = try #require(
        (1..<UInt64(image.blockCount)).last {
          image.count(Int($0), in: image.metadataMap) == 0 && image[$0, Field<UInt64>(at: 8)] == 0
        })
      image.edit(spare, as: .btreeNode) { bytes in
        empty.withBlock(root) { node in
          for index in 0..<MetadataBlock.size / 8 {
            bytes[Field<UInt64>(at: 8 * index)] = node[Field<UInt64>(at: 8 * index)]
          }
        }
        bytes[BTreeNode.Layout.block] = spare
      }
      image.set(0, as: .thinSuperblock, field, to: spare)
    }
    let salvage = try Rescue(image).salvage
    let kept = salvage.results.reduce(0) { $0 + $1.mappedBlocks }
    #expect(salvage.bringsNothingBack || kept > 0)
  }

  // MARK: Ids

  @Test(arguments: ["thins", "snapshots-of-snapshots", "many-devices"])
  func `a tree under an impossible id is kept, by its own id where one list has that`(
    name: String
  ) throws {
    let image = try pool(name)
    let last = try #require(image.devices.last)
    for isInBoth in [false, true] {
      for id in [1 << 24, last.id | 1 << 40, UInt64.max] {
        var damaged = image
        for root in [image.superblock.mappingRoot, image.superblock.detailsRoot].prefix(
          isInBoth ? 2 : 1)
        {
          let leaf = try #require(image.leaves(below: root).last)
          damaged.set(leaf.block, as: .btreeNode, leaf.key(leaf.keys.count - 1), to: id)
        }
        let place: Comment = "\(name), id \(id), in both lists: \(isInBoth)"
        let rescue = try Rescue(damaged)
        try rescue.expectSound(place)
        var mappings = rescue.output.mappings
        let renamed = rescue.salvage.renamed.first { $0.impossibleID == id }
        let found = try #require(renamed, place)
        #expect(mappings[found.id] == image.mappings[last.id], place)
        if isInBoth { #expect(found.isMadeUp, place) }
        if !found.isMadeUp { #expect(found.id == last.id, place) }
        mappings[found.id] = nil
        var others = image.mappings
        others[last.id] = nil
        #expect(mappings.filter { !$0.value.isEmpty } == others.filter { !$0.value.isEmpty }, place)
        #expect(rescue.salvage.droppedDevices.isEmpty, place)
      }
    }
  }

  @Test func `several impossible ids get different ones`() throws {
    let image = try pool("thins")
    var damaged = image
    let leaf = try #require(image.leaves(below: image.superblock.mappingRoot).last)
    let details = try #require(image.leaves(below: image.superblock.detailsRoot).last)
    for (place, index) in [leaf.keys.count - 2, leaf.keys.count - 1].enumerated() {
      for node in [leaf, details] {
        damaged.set(
          node.block, as: .btreeNode, node.key(index), to: UInt64(1) << 24 + UInt64(place))
      }
    }
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    #expect(rescue.salvage.renamed.map(\.id) == [16_777_215, 16_777_214])
    let (before, after) = (image.mappings.values, rescue.output.mappings.values)
    #expect(before.map(\.count).sorted() == after.map(\.count).sorted())
  }

  // MARK: The transaction

  @Test(arguments: ["snapshots", "thins", "power-cut"])
  func `without a superblock the transaction id is the devices' highest and one more`(
    name: String
  ) throws {
    let image = try pool(name)
    let highest = image.allDetails.values.map(\.transactionID).max() ?? 0
    var damaged = image
    damaged.zero(0)
    for (given, wanted) in [
      (nil, highest + 1), (highest, highest), (highest + 5, highest + 5),
    ] as [(UInt64?, UInt64)] {
      var overrides = PoolOverrides()
      overrides.dataBlockSectors = image.superblock.dataBlockSectors
      overrides.transactionID = given
      let rescue = try Rescue(damaged, overriding: overrides)
      #expect(rescue.output.superblock.transactionID == wanted, "\(name)")
      #expect(rescue.salvage.corrections.isTransactionGuessed == (given == nil), "\(name)")
      #expect(overrides.refusals(rescue.salvage.header).isEmpty, "\(name)")
    }
  }

  @Test func `a lower transaction id than the pool's is refused in words`() throws {
    let image = try pool("snapshots-of-snapshots")
    var overrides = PoolOverrides()
    overrides.transactionID = image.superblock.transactionID - 1
    let rescue = try Rescue(image, overriding: overrides)
    #expect(rescue.output.superblock.transactionID == image.superblock.transactionID)
    let lines = SalvageSummary(
      rescue.salvage, OldSpaceMaps(rescue.salvage, isComparing: false)
    ).lines
    let own = image.superblock.transactionID
    #expect(lines.contains { $0.hasPrefix("The pool's transaction id stays \(own)") }, "\(lines)")
  }
}
