import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// A whole old state comes back, or several of its devices at once.
@Suite struct StateRecoveryTests {
  /// What a kernel writes over a pool whose superblock is all zeroes.
  private func formattedAnew(_ name: String) throws -> (image: MetadataImage, before: MetadataImage)
  {
    let before = try MetadataImage(kernel: "thin/\(name)")
    let fresh = try MetadataImage(kernel: "thin/fresh")
    try #require(before.blockCount == fresh.blockCount)
    var image = before
    for block in [0] + fresh.allocatedBlocks {
      image.damage(block) { bytes in
        fresh.withBlock(block) { source in
          for offset in stride(from: 0, to: MetadataBlock.size, by: 8) {
            bytes[Field<UInt64>(at: offset)] = source[Field<UInt64>(at: offset)]
          }
        }
      }
    }
    return (image, before)
  }

  private struct Result {
    let recovery: StateRecovery
    let output: MetadataImage
  }

  private func recovered(
    _ choice: StateRecovery.Choice, from root: MetadataBlock, of image: MetadataImage,
    dataBlocks: UInt64? = nil
  ) throws -> Result {
    let scratch = try Scratch()
    let input = try image.open(scratch, .read, .salvage)
    var overrides = PoolOverrides()
    overrides.dataBlockCount = dataBlocks
    let salvage = try Salvage(input, overriding: overrides)
    let recovery = try StateRecovery(choice, from: root, in: input, beside: salvage)
    let path = try scratch.blank("output", bytes: (2 * image.blockCount + 64) * 4096)
    try recovery.restore(to: try BlockFile(path, .write))
    return Result(recovery: recovery, output: try MetadataImage(file: path))
  }

  private func expectSound(_ image: MetadataImage, _ place: Comment) throws {
    let findings = try image.check().findings.sorted.filter { $0.rule.severity > .note }
    #expect(findings.isEmpty, "\(place): \(findings)")
  }

  @Test(arguments: ["thins", "snapshots"])
  func `a pool that was formatted anew comes back as it was`(name: String) throws {
    let (image, before) = try formattedAnew(name)
    let report = try image.check()
    #expect(Array(report.findings.counts.keys) == [.formerDevices])
    let advice = Advice(report, input: "tmeta", isMended: false).lines
    #expect(advice.contains("  thin_roots tmeta"))

    let root = MetadataBlock(UInt32(before.superblock.mappingRoot))
    let count = before.superblock.dataSpaceMap.blockCount
    let all = try recovered(.all, from: root, of: image, dataBlocks: count)
    try expectSound(all.output, "\(name)")
    #expect(all.output.mappings == before.mappings)
    #expect(all.output.allDetails == before.allDetails)
    #expect(all.recovery.unchanged.isEmpty)
    // What devices share stays shared.
    #expect(all.output.allocatedBlocks.count <= before.allocatedBlocks.count)
    let highest = before.allDetails.values.map(\.transactionID).max() ?? 0
    #expect(all.output.superblock.transactionID == (highest > 0 ? highest + 1 : 0))

    let ids = before.devices.map(\.id)
    let each = try recovered(.devices(ids), from: root, of: image, dataBlocks: count)
    try expectSound(each.output, "\(name)")
    for (device, id) in each.recovery.devices.map({ ($0.header.id, $0.oldID) }) {
      #expect(each.output.mappings[device] == before.mappings[id])
      #expect(device > UInt64(16_777_215 - ids.count))
    }
  }

  @Test func `data blocks that the new pool has by now don't come back`() throws {
    // The live pool is one device that maps what devices of another pool had too.
    let before = try MetadataImage(kernel: "thin/snapshots")
    var (image, _) = try formattedAnew("snapshots")
    let live = try MetadataImage(kernel: "thin/reuse-same-leaf")
    try #require(live.blockCount == image.blockCount)
    let trees = Set(before.devices.flatMap { before.nodes(below: $0.root).map(\.block) })
    let used = [0] + live.allocatedBlocks
    try #require(trees.isDisjoint(with: used))
    for block in used {
      image.damage(block) { bytes in
        live.withBlock(block) { source in
          for offset in stride(from: 0, to: MetadataBlock.size, by: 8) {
            bytes[Field<UInt64>(at: offset)] = source[Field<UInt64>(at: offset)]
          }
        }
      }
    }
    let root = MetadataBlock(UInt32(before.superblock.mappingRoot))
    let result = try recovered(
      .all, from: root, of: image, dataBlocks: before.superblock.dataSpaceMap.blockCount)
    try expectSound(result.output, "")
    #expect(result.recovery.isYoungerThanLive)
    let taken = Set(live.mappings.values.joined().map(\.value.dataBlock))
    for device in result.recovery.devices {
      let old = before.mappings[device.oldID, default: [:]]
      let wanted = old.filter { !taken.contains($0.value.dataBlock) }
      #expect(result.output.mappings[device.header.id] == wanted, "device \(device.oldID)")
      #expect(
        device.leftOut.reduce(0) { $0 + Int($1.run.length) } == old.count - wanted.count)
    }
    for (id, mappings) in live.mappings { #expect(result.output.mappings[id] == mappings) }
  }

  /// Whatever comes back, the live state stays as it is, and no data block gets two owners.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `any old state comes back beside the live one`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let scratch = try Scratch()
    let old = OldRoots(try image.open(scratch, .read, .salvage))
    for root in old.roots.filter({ $0.standing == .superseded }).prefix(3) {
      let result = try recovered(.all, from: root.block, of: image)
      let place: Comment = "\(name), root \(root.block)"
      try expectSound(result.output, place)
      let after = result.output.mappings
      for (id, mappings) in image.mappings { #expect(after[id] == mappings, place) }
      var owners: [UInt64: Set<[UInt64]>] = [:]
      for mappings in after.values {
        for (key, mapping) in mappings {
          owners[mapping.dataBlock, default: []].insert([key, UInt64(mapping.time)])
        }
      }
      #expect(owners.values.allSatisfy { $0.count == 1 }, place)
      let wanted = old.devices(below: root.block).map(\.id)
      let found = result.recovery.devices.map(\.oldID) + result.recovery.unchanged
      #expect(found.sorted() == wanted, place)
    }
  }

  @Test func `a device that the state lacks is refused`() throws {
    let (image, before) = try formattedAnew("thins")
    #expect(throws: RecoveryError.self) {
      try recovered(
        .devices([0, 99]), from: MetadataBlock(UInt32(before.superblock.mappingRoot)), of: image)
    }
  }
}
