import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What comes back of leaves that are lost: nothing wrong unless it was asked for.
@Suite struct LostLeafTests {
  /// Metadata in which nothing leaks, and whose snapshots share blocks.
  private static let sharing = [
    "ext4", "external-origin", "just-deleted", "metadata-snapshot", "power-cut", "snapshots",
    "snapshots-of-snapshots", "three-levels",
  ]

  private func leaves(_ image: MetadataImage) -> [ImageNode] {
    var seen: Set<UInt64> = []
    return image.devices.flatMap { image.leaves(below: $0.root) }
      .filter { !$0.keys.isEmpty && seen.insert($0.block).inserted }
  }

  @Test(arguments: sharing)
  func `what another leaf maps too comes back, and nothing that is wrong`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom()
    for lost in leaves(image).shuffled(using: &random).prefix(6) {
      var damaged = image
      damaged.zero(lost.block)
      let place: Comment = "\(name), leaf \(lost.block), seed \(random.seed)"
      let rescue = try Rescue(damaged)
      try rescue.expectSound(place)
      let shared = Set(
        leaves(image).filter { $0.block != lost.block }.flatMap(\.values)
          .map { Mapping($0).dataBlock })
      let proven = zip(lost.keys, lost.values).filter { shared.contains(Mapping($1).dataBlock) }
      for (device, root) in image.devices {
        let after = rescue.output.mappings(below: rescue.output.root(of: device))
        #expect(isTrue(after, to: image.mappings(below: root)), place)
        guard image.leaves(below: root).contains(where: { $0.block == lost.block }) else {
          continue
        }
        #expect(proven.allSatisfy { after[$0] == Mapping($1) }, place)
      }
    }
  }

  /// Several at once: who misses which mapping has to be told apart.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `several leaves at once bring nothing wrong back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom()
    for count in 2...4 {
      var damaged = image
      for lost in leaves(image).shuffled(using: &random).prefix(count) { damaged.zero(lost.block) }
      let place: Comment = "\(name), \(count) leaves, seed \(random.seed)"
      let rescue = try Rescue(damaged)
      try rescue.expectSound(place)
      let (before, after) = (image.mappings, rescue.output.mappings)
      for (device, mappings) in after {
        #expect(isTrue(mappings, to: before[device, default: [:]]), "\(place), device \(device)")
      }
    }
  }

  /// A crash in the midst of discards leaves counts that look like lost mappings.
  @Test(arguments: ["crash-writes", "discard-crash", "discard-leak"])
  func `where counts leak, nothing is proven`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    for lost in leaves(image).prefix(8) {
      var damaged = image
      damaged.zero(lost.block)
      let rescue = try Rescue(damaged)
      try rescue.expectSound("\(name), leaf \(lost.block)")
      for result in rescue.salvage.results {
        #expect(result.kept[.proven] == nil, "\(name), leaf \(lost.block)")
      }
    }
  }

  /// The leak is at a virtual block of the lost leaf that was discarded there: nothing on the
  /// device says that it isn't a lost mapping, but that there is one too many.
  @Test func `a leak within the lost leaf is not taken for a mapping`() throws {
    var image = try MetadataImage(kernel: "thin/snapshots")
    let all = leaves(image)
    let map = image.dataMap
    let (lost, key, block) = try #require(
      all.lazy.compactMap { leaf -> (ImageNode, UInt64, UInt64)? in
        for other in all where other.block != leaf.block {
          for (key, value) in zip(other.keys, other.values)
          where !leaf.keys.contains(key) && key < leaf.keys[leaf.keys.count - 1] {
            let block = Mapping(value).dataBlock
            if image.count(Int(block), in: map) == 1 { return (leaf, key, block) }
          }
        }
        return nil
      }.first)
    image.setCount(Int(block), to: 2, in: map)
    image.zero(lost.block)
    let rescue = try Rescue(image)
    for device in rescue.output.devices {
      let mappings = rescue.output.mappings(below: device.root)
      let others = try MetadataImage(kernel: "thin/snapshots").mappings[device.id, default: [:]]
      #expect(isTrue(mappings, to: others), "device \(device.id), key \(key)")
    }
  }

  /// Metadata written by hand may map one data block in two places. Then a survivor proves nothing.
  @Test func `where a data block has two virtual blocks, nothing is proven`() throws {
    var image = try MetadataImage(kernel: "thin/snapshots-of-snapshots")
    let all = leaves(image)
    let changed = try #require(all.last)
    let other = try #require(
      all.dropLast().first { !$0.values.contains(changed.values[0]) && $0.keys != changed.keys })
    image.set(changed.block, as: .btreeNode, changed.value(0), to: other.values[0])
    let lost = try #require(all.first { $0.block != changed.block && $0.block != other.block })
    image.zero(lost.block)
    let rescue = try Rescue(image)
    #expect(rescue.salvage.results.allSatisfy { $0.kept[.proven] == nil })
  }

  @Test func `without the details of its device, nothing is proven of a leaf`() throws {
    var image = try MetadataImage(kernel: "thin/snapshots-of-snapshots")
    let leaf = try #require(leaves(image).first)
    image.zero(leaf.block)
    image.zero(image.leaves(below: image.superblock.detailsRoot)[0].block)
    let rescue = try Rescue(image)
    #expect(rescue.salvage.results.allSatisfy { $0.kept[.proven] == nil })
    #expect(rescue.salvage.results.contains { $0.leftOut[.likely] != nil })
  }

  @Test func `with a bitmap of the data space map lost, nothing is proven of a leaf`() throws {
    var image = try MetadataImage(kernel: "thin/snapshots-of-snapshots")
    image.zero(try #require(leaves(image).first).block)
    image.zero(image.dataMap.entries[0].entry.block)
    let rescue = try Rescue(image)
    try rescue.expectSound("")
    #expect(rescue.salvage.results.allSatisfy { $0.kept[.proven] == nil })
  }

  /// The metadata snapshot's own leaf is a hole of its own: what it mapped is nobody else's.
  @Test func `a leaf that only the metadata snapshot has gives nothing to live devices`() throws {
    let image = try MetadataImage(kernel: "thin/metadata-snapshot")
    let held = image.withBlock(image.superblock.heldRoot) { Superblock($0) }
    let live = Set(leaves(image).map(\.block))
    let roots = image.leaves(below: held.mappingRoot).flatMap(\.values)
    let own = roots.flatMap { image.leaves(below: $0) }.filter {
      !live.contains($0.block) && !$0.keys.isEmpty
    }
    try #require(!own.isEmpty)
    for leaf in own {
      var damaged = image
      damaged.zero(leaf.block)
      let rescue = try Rescue(damaged)
      try rescue.expectSound("leaf \(leaf.block)")
      #expect(rescue.output.mappings == image.mappings)
    }
  }
}
