import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Whether a kernel would take shared blocks for a device's own and write to them in place.
@Suite struct SharedTimesTests {
  private static let rounds = 6

  /// Gives some mappings and devices other times that the pool may have.
  private func changeTimes(_ image: inout MetadataImage, _ random: inout SeededRandom) throws {
    let time = image.superblock.time
    var views = [image.superblock]
    let held = image.superblock.heldRoot
    if held != 0 { views.append(image.withBlock(held) { Superblock($0) }) }
    let roots = views.flatMap { image.leaves(below: $0.mappingRoot) }.flatMap(\.values)
    for _ in 0..<random.number(0...4) {
      guard let root = roots.randomElement(using: &random),
        let leaf = image.leaves(below: root).randomElement(using: &random),
        let index = leaf.keys.indices.randomElement(using: &random)
      else { continue }
      let mapping = Mapping(dataBlock: Mapping(leaf.values[index]).dataBlock, time: time)
      image.set(leaf.block, as: .btreeNode, leaf.value(index), to: mapping.value)
    }
    for _ in 0..<random.number(0...2) {
      guard let device = image.devices.randomElement(using: &random)?.id else { continue }
      set(DeviceDetails.Layout.snapshottedTime, of: device, to: random.number(0...time), in: &image)
    }
  }

  private func set<Value>(
    _ field: Field<Value>, of device: UInt64, to value: Value, in image: inout MetadataImage
  ) {
    let (block, offset) = image.detailsPlace(device)
    image.set(block, as: .btreeNode, field.shifted(by: offset), to: value)
  }

  private func found(_ report: CheckReport) -> [UInt64: UInt32] {
    Dictionary(uniqueKeysWithValues: report.snapshottedTimesTooLow.map { ($0.device, $0.lowest) })
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `devices are found, mended and repaired just where a kernel would go wrong`(
    name: String
  ) throws {
    let sound = try MetadataImage(kernel: "thin/\(name)")
    #expect(SharingModel(sound).lowestSnapshottedTimes.isEmpty)
    var random = SeededRandom()
    for round in 0..<SharedTimesTests.rounds {
      var image = sound
      try changeTimes(&image, &random)
      let place: Comment = "\(name), seed \(random.seed), round \(round)"
      let scratch = try Scratch()
      let file = try image.open(scratch, .write, name: "image")
      let report = CheckReport(of: file, CheckScope())
      let expected = SharingModel(image).lowestSnapshottedTimes
      #expect(found(report) == expected, place)
      #expect(report.findings.counts[.snapshottedTimeTooLow, default: 0] == expected.count, place)
      guard !expected.isEmpty else { continue }

      let rescue = try Rescue(image)
      try rescue.expectSound(place, allowing: [.deviceTimesReversed])
      #expect(rescue.output.mappings == image.mappings, place)
      guard report.findings.worst != .error else { continue }
      try report.mend(file)
      let after = CheckReport(of: file, CheckScope())
      #expect(after.findings.counts[.snapshottedTimeTooLow] == nil, place)
      #expect(after.findings.counts[.deviceTimeInFuture] == nil, place)
      let mended = try MetadataImage(file: file.path)
      #expect(mended.mappings == image.mappings, place)
      for (device, time) in expected {
        var details = image.details(device)
        details.snapshottedTime = time
        #expect(mended.details(device) == details, place)
      }
    }
  }

  @Test func `what only the metadata snapshot has is nobody's concern`() throws {
    let image = try MetadataImage(kernel: "thin/metadata-snapshot")
    let live = Set(image.devices.flatMap { image.leaves(below: $0.root) }.map(\.block))
    let held = image.withBlock(image.superblock.heldRoot) { Superblock($0) }
    let heldLeaves = image.leaves(below: held.mappingRoot).flatMap(\.values)
      .flatMap { image.leaves(below: $0) }
    // Both lead to blocks that a device takes for its own, as it should.
    let alone = heldLeaves.filter { !live.contains($0.block) }
    let names = Set(alone.flatMap(\.values).map { Mapping($0).dataBlock })
    let mapped = image.mappings.values.flatMap(\.values).filter { names.contains($0.dataBlock) }
    #expect(!mapped.isEmpty)
    #expect(try image.check().snapshottedTimesTooLow.isEmpty)
  }

  @Test func `times of other roots than the pool's are not judged`() throws {
    let damage = try #require(DamageCase.all.first { $0.rule == .snapshottedTimeTooLow })
    var image = try MetadataImage(kernel: damage.image)
    _ = try damage.damage(&image)
    let scratch = try Scratch()
    var scope = CheckScope()
    scope.roots.detailsRoot = image.superblock.detailsRoot
    #expect(try CheckReport(of: image.open(scratch), scope).snapshottedTimesTooLow.isEmpty)
    #expect(try image.check().snapshottedTimesTooLow.count == 1)
  }

  /// Nothing leads to the trees then, and whose they are shows only once they were read.
  @Test(arguments: DamageCase.all.filter { $0.rule == .snapshottedTimeTooLow })
  func `where the list of devices is lost too, times are raised as where it is not`(
    damage: DamageCase
  ) throws {
    var image = try MetadataImage(kernel: damage.image)
    _ = try damage.damage(&image)
    try expectSameTimesWithoutList(image)
  }

  /// Each of its nodes has one parent, and each of its data blocks is mapped once.
  @Test func `where the list of devices is lost too, a tree of two devices is shared`() throws {
    var image = try MetadataImage(kernel: "thin/data-full")
    let shared = SharingModel(image).latestSharedTimes
    try #require(shared.count == 2)
    let twins = image.devices.filter { shared[$0.id] != nil }
    try #require(twins[0].root == twins[1].root)
    let time = try #require(shared[twins[0].id])
    set(DeviceDetails.Layout.snapshottedTime, of: twins[0].id, to: time, in: &image)
    try expectSameTimesWithoutList(image)
  }

  /// Repairs an image with one time that is too low, and all devices get back their trees.
  private func expectSameTimesWithoutList(_ image: MetadataImage) throws {
    let expected = SharingModel(image).lowestSnapshottedTimes
    let device = try #require(expected.count == 1 ? expected.keys.first : nil)
    let rescue = try rescueWithoutList(image)
    #expect(rescue.salvage.grafting.adopted == image.devices.map(\.id))
    #expect(rescue.output.mappings == image.mappings)
    #expect(rescue.output.allDetails == (try Rescue(image)).output.allDetails)
    #expect(rescue.output.details(device).snapshottedTime == expected[device])
    let summary = SalvageSummary(
      rescue.salvage, OldSpaceMaps(rescue.salvage, isComparing: false))
    #expect(
      summary.lines.filter { $0.hasPrefix("Snapshotted times") } == [
        "Snapshotted times raised, so that the kernel copies shared blocks before it writes to "
          + "them: device \(device)."
      ])
  }

  /// A tree in use counts for what the others share, whosever it is.
  @Test func `what a device shares with trees that are nobody's is shared`() throws {
    var image = try MetadataImage(kernel: "thin/ext4")
    let device = image.devices[0].id
    let time = try #require(SharingModel(image).latestSharedTimes[device])
    set(DeviceDetails.Layout.snapshottedTime, of: device, to: time, in: &image)
    for other in image.devices.dropFirst() {
      // No tree is as large.
      let size = image.superblock.dataSpaceMap.blockCount
      set(DeviceDetails.Layout.mappedBlocks, of: other.id, to: size, in: &image)
    }
    let rescue = try rescueWithoutList(image)
    #expect(rescue.salvage.grafting.adopted == [device])
    #expect(!rescue.salvage.grafting.madeUpDevices.isEmpty)
    // Details that are contradicted are doubted in their times, too, and a later one is safe.
    #expect(rescue.output.details(device).snapshottedTime > time)
    #expect(SharingModel(rescue.output).lowestSnapshottedTimes.isEmpty)
  }

  private func rescueWithoutList(_ image: MetadataImage) throws -> Rescue {
    var damaged = image
    for node in image.nodes(below: image.superblock.mappingRoot) { damaged.zero(node.block) }
    let rescue = try Rescue(damaged)
    try rescue.expectSound("without the list of devices")
    return rescue
  }

  /// What is mapped at the pool's own time is shared only after the next snapshot.
  @Test func `where need be the pool's time is raised too`() throws {
    var image = try MetadataImage(kernel: DamageCase.manySnapshots)
    let time = image.superblock.time
    let sharing = SharingModel(image)
    let leaf = try #require(
      image.devices.flatMap { image.leaves(below: $0.root) }.first {
        sharing.owners(ofLeaf: $0.block).count > 1
      })
    let mapping = Mapping(dataBlock: Mapping(leaf.values[0]).dataBlock, time: time)
    image.set(leaf.block, as: .btreeNode, leaf.value(0), to: mapping.value)
    let scratch = try Scratch()
    let file = try image.open(scratch, .write, name: "image")
    try CheckReport(of: file, CheckScope()).mend(file)
    let mended = try MetadataImage(file: file.path)
    #expect(mended.superblock.time == time + 1)
    #expect(try mended.check().findings.isEmpty)
    let rescue = try Rescue(image)
    try rescue.expectSound("time \(time)")
    #expect(rescue.output.superblock.time == time + 1)
  }

  /// No mapping can be later than that, so a device that shares such a one has to be.
  @Test func `the last time that there is can be shared too`() throws {
    var image = try MetadataImage(kernel: DamageCase.manySnapshots)
    image.set(0, as: .thinSuperblock, Superblock.Layout.time, to: Mapping.timeMaximum)
    let sharing = SharingModel(image)
    let leaf = try #require(
      image.devices.flatMap { image.leaves(below: $0.root) }.first {
        sharing.owners(ofLeaf: $0.block).count > 1
      })
    let mapping = Mapping(
      dataBlock: Mapping(leaf.values[0]).dataBlock, time: Mapping.timeMaximum)
    image.set(leaf.block, as: .btreeNode, leaf.value(0), to: mapping.value)
    let rescue = try Rescue(image)
    try rescue.expectSound("repaired")
    let scratch = try Scratch()
    let file = try image.open(scratch, .write, name: "image")
    try CheckReport(of: file, CheckScope()).mend(file)
    let mended = try MetadataImage(file: file.path)
    #expect(try mended.check().findings.isEmpty)
    let owners = sharing.owners(ofLeaf: leaf.block)
    for device in owners {
      // Repair takes one time so far beyond all others for damage.
      let time = try #require(rescue.output.mappings[device]?[leaf.keys[0]]).time
      #expect(rescue.output.details(device).snapshottedTime > time)
      #expect(mended.details(device).snapshottedTime == Mapping.timeMaximum + 1)
    }
  }
}
