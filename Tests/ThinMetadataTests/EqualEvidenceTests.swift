import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Where several explanations are as good as each other: what all of them agree on is kept, and
/// nothing that only some of them allow.
@Suite struct EqualEvidenceTests {
  /// A leaf of device 0 has some entries that device 3's leaf has, of before it changed: each may
  /// be the one that lies.
  @Test func `of two leaves one of which lies, all is kept that is right in either case`() throws {
    let image = try MetadataImage(kernel: "thin/snapshots")
    let (liar, other) = (
      image.leaves(below: image.root(of: 0))[0], image.leaves(below: image.root(of: 3))[0]
    )
    try #require(liar.block != other.block && liar.keys == other.keys)
    let contested = 10
    let places = liar.keys.indices.filter { liar.values[$0] != other.values[$0] }
    try #require(places.count > contested)
    var damaged = image
    for place in places.prefix(contested) {
      damaged.set(liar.block, as: .btreeNode, liar.value(place), to: other.values[place])
    }

    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    let after = rescue.output.mappings
    for (device, before) in image.mappings {
      let now = after[device, default: [:]]
      #expect(isTrue(now, to: before), "device \(device)")
      let result = rescue.salvage.results.first { $0.id == device }
      let leaf = device == 0 ? liar : device == 3 ? other : nil
      #expect(result?.isWhole == (leaf == nil), "device \(device)")
      // Of a leaf that may lie, what another leaf has as well.
      let others = image.mappings.filter { $0.key != device }.values
      let lost = before.filter { key, mapping in
        leaf?.keys.contains(key) == true && !others.contains { $0[key] == mapping }
      }
      #expect(now.count >= before.count - contested - lost.count, "device \(device)")
      #expect(leaf != nil || now.count == before.count, "device \(device)")
    }
  }

  /// Devices 0 and 3 have trees of the same size.
  @Test(arguments: [true, false])
  func `trees of one size are told apart by an old list of devices, and by nothing else`(
    hasOldLists: Bool
  ) throws {
    let image = try MetadataImage(kernel: "thin/snapshots")
    let (first, second) = (image.root(of: 0), image.root(of: 3))
    try #require(image.mappings[0]?.count == image.mappings[3]?.count)
    var damaged = hasOldLists ? image : withoutOldLists(image)
    damaged.zero(image.superblock.mappingRoot)
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    let madeUp = rescue.salvage.grafting.madeUpDevices
    #expect(madeUp.count == (hasOldLists ? 0 : 2))
    expectAllKept(rescue, image, nobodys: hasOldLists ? [] : [first, second])
  }

  /// Then the list is as good as lost.
  @Test func `a list of devices that an old leaf took the place of costs no tree`() throws {
    let image = try MetadataImage(kernel: "thin/snapshots")
    var damaged = withoutOldLists(image)
    let list = image.superblock.mappingRoot
    let leaf = image.leaves(below: image.root(of: 0))[0]
    damaged.copy(leaf.block, to: list)
    damaged.set(list, as: .btreeNode, BTreeNode.Layout.block, to: list)
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    expectAllKept(rescue, image, nobodys: [image.root(of: 0), image.root(of: 3)])
  }

  @Test func `counts of metadata blocks that are far too high and too low cost nothing`() throws {
    let image = try MetadataImage(kernel: "thin/snapshots-of-snapshots")
    let counts = image.node(image.superblock.metadataSpaceMap.refCountRoot)
    try #require(counts.isLeaf && counts.keys.count > 1)
    var damaged = image
    for (index, count) in [(0, UInt32(753)), (1, 0)] {
      let field = Field<UInt32>(at: counts.valueOffset(index))
      damaged.set(counts.block, as: .btreeNode, field, to: count)
    }
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    #expect(rescue.output.mappings == image.mappings)
    #expect(!rescue.salvage.results.contains { !$0.isWhole })
  }

  /// Without lists of devices that have device 3.
  private func withoutOldLists(_ image: MetadataImage) -> MetadataImage {
    var damaged = image
    for block in 1..<UInt64(image.blockCount) where block != image.superblock.mappingRoot {
      guard image.count(Int(block), in: image.metadataMap) == 0,
        image.withBlock(block, { BlockKind(of: $0) }) == .btreeNode
      else { continue }
      let node = image.node(block)
      let isList = node.isLeaf && node.values.allSatisfy { $0 < UInt64(image.blockCount) }
      if isList, node.keys.contains(3) { damaged.zero(block) }
    }
    return damaged
  }

  /// `nobodys`: trees of which it can't be told whose they are.
  private func expectAllKept(
    _ rescue: Rescue, _ image: MetadataImage, nobodys: Set<UInt64>
  ) {
    let after = rescue.output.mappings
    for (device, root) in image.devices {
      let isLost = nobodys.contains(root)
      #expect(after[device] == (isLost ? [:] : image.mappings[device]), "device \(device)")
    }
    let kept = rescue.salvage.grafting.madeUpDevices.compactMap { after[$0] }
    let expected = nobodys.map { image.mappings(below: $0) }
    #expect(kept.count == expected.count && expected.allSatisfy(kept.contains))
  }
}
