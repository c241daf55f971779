import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// A deleted device comes back mapping by mapping, and nothing that others have by now.
@Suite struct RecoveryTests {
  private static let perFixture = 6

  @Test func `a device deleted a moment ago comes back as it was`() throws {
    let image = try MetadataImage(kernel: "thin/just-deleted")
    let undelete = try Undelete(2, from: 62, of: image)
    try undelete.expectSound("just-deleted")
    let old = image.mappings(below: 68)
    #expect(old.count == 450)
    #expect(undelete.recovery.device.id == DeviceDetails.deviceIDMaximum)
    #expect(undelete.back == old)
    #expect(undelete.recovery.count(.free) == 50)
    #expect(undelete.recovery.count(.shared) == 400)
    #expect(
      undelete.output.details(DeviceDetails.deviceIDMaximum)
        == DeviceDetails(
          mappedBlocks: 450, transactionID: 1, creationTime: 1, snapshottedTime: 2))
    #expect(undelete.others == image.mappings)
    for (id, details) in image.allDetails { #expect(undelete.output.details(id) == details) }
    #expect(undelete.output.superblock.time == image.superblock.time)
  }

  /// Judged by what the image's own trees and bitmaps say, read without the program's help.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin").filter { $0 != "many-devices" })
  func `whatever is taken back is the device's own, and the rest is left out for a reason`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let scratch = try Scratch()
    let old = OldRoots(try image.open(scratch, .read, .salvage))
    let candidates = old.roots.flatMap { root in
      root.differences.filter { $0.mappings > 0 }.map { (root: root, difference: $0) }
    }
    let today = image.mappingsByDataBlock
    let counts = image.counts(image.dataMap)
    var random = SeededRandom()
    for (root, difference) in candidates.shuffled(using: &random).prefix(Self.perFixture) {
      let place: Comment = "\(name), root \(root.block), device \(difference.id)"
      let undelete = try Undelete(difference.id, from: root.block, of: image)
      try undelete.expectSound(place)
      #expect(undelete.others == image.mappings, place)
      let before = image.mappings(below: UInt64(difference.root.number), where: { _ in true })
      #expect(undelete.back.allSatisfy { before[$0.key] == $0.value }, place)
      for part in undelete.recovery.parts {
        for offset in 0..<part.run.length {
          let key = part.run.virtualBegin + offset
          let mapping = Mapping(dataBlock: part.run.dataBegin + offset, time: part.run.time)
          #expect(before[key] == mapping, place)
          let users = today[mapping.dataBlock, default: []]
          let isSame = users.allSatisfy { $0.key == key && $0.time == mapping.time }
          let count = counts[Int(mapping.dataBlock)]
          switch part.fate {
          case .free: #expect(count == 0 && users.isEmpty, place)
          case .shared, .unclear: #expect(isSame && !users.isEmpty, place)
          case .reused: #expect(!isSame, place)
          case .held: #expect(count > 0 && users.isEmpty, place)
          case .unknown, .repeated: Issue.record(place)
          }
          #expect((undelete.back[key] != nil) == part.fate.isKept, place)
        }
      }
    }
  }

  @Test(arguments: [("reuse-all", 100), ("reuse-same-leaf", 40)])
  func `blocks that a kernel gave out again are named and left out`(
    name: String, count: UInt64
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let undelete = try Undelete(0, from: 20, of: image)
    try undelete.expectSound("\(name)")
    #expect(undelete.recovery.count(.reused) == count)
    let summary = RecoverySummary(undelete.recovery, output: "NEW")
    let range = "0..\(count - 1)"
    #expect(
      summary.leftOut == [
        "left out: virtual blocks \(range), data blocks \(range): given to device 0 since"
      ])
  }

  @Test func `blocks of a deleted device that another one has by now stay that one's`() throws {
    var image = try MetadataImage(kernel: "thin/just-deleted")
    // Device 1 gets three of the blocks that were device 2's alone, as a kernel would give them.
    let counts = image.counts(image.dataMap)
    let own = image.mappings(below: 68).filter { counts[Int($0.value.dataBlock)] == 0 }
      .sorted { $0.key < $1.key }
    let given = own[10..<13]
    let leaf = image.leaves(below: image.root(of: 1))[0]
    for (index, mapping) in given.enumerated() {
      let former = Mapping(leaf.values[index])
      image.set(
        leaf.block, as: .btreeNode, leaf.value(index),
        to: Mapping(dataBlock: mapping.value.dataBlock, time: 2).value)
      image.setCount(Int(former.dataBlock), to: 0, in: image.dataMap)
      image.setCount(Int(mapping.value.dataBlock), to: 1, in: image.dataMap)
    }
    let undelete = try Undelete(2, from: 62, of: image)
    try undelete.expectSound("given to device 1")
    #expect(undelete.back.count == 447)
    #expect(given.allSatisfy { undelete.back[$0.key] == nil })
    let reused = undelete.recovery.parts.filter { $0.fate == .reused }
    #expect(reused.allSatisfy { $0.user == 1 })
    #expect(
      reused.flatMap { $0.run.virtualBegin...$0.run.virtualLast } == given.map(\.key))
    #expect(undelete.others == image.mappings)
  }

  @Test(arguments: [(72, 0...239), (69, 240...UInt64.max)] as [(UInt64, ClosedRange<UInt64>)])
  func `what a lost leaf had is named, and the rest comes back`(
    leaf: UInt64, keys: ClosedRange<UInt64>
  ) throws {
    let image = try MetadataImage(kernel: "thin/just-deleted")
    var damaged = image
    damaged.zero(leaf)
    let undelete = try Undelete(2, from: 62, of: damaged)
    try undelete.expectSound("leaf \(leaf)")
    #expect(undelete.recovery.lost == [keys])
    #expect(undelete.back == image.mappings(below: 68).filter { !keys.contains($0.key) })
    #expect(undelete.back.count == 225)
  }

  @Test func `a tree that has a data block twice is doubted, and the block left out`() throws {
    var image = try MetadataImage(kernel: "thin/just-deleted")
    let (first, second) = (image.node(72), image.node(69))
    image.set(69, as: .btreeNode, second.value(3), to: first.values[5])
    let undelete = try Undelete(2, from: 62, of: image)
    try undelete.expectSound("twice")
    #expect(undelete.recovery.count(.repeated) == 2)
    #expect(undelete.back.count == 448)
    #expect(undelete.back[first.keys[5]] == nil && undelete.back[second.keys[3]] == nil)
    let summary = RecoverySummary(undelete.recovery, output: "NEW")
    #expect(summary.lines.contains { $0.contains("DOUBTFUL") })
  }

  @Test func `blocks whose counts can't be read are left out`() throws {
    var image = try MetadataImage(kernel: "thin/just-deleted")
    image.zero(image.dataMap.entries[0].entry.block)
    let undelete = try Undelete(2, from: 62, of: image)
    try undelete.expectSound("no bitmap")
    #expect(undelete.recovery.count(.unknown) == 50)
    #expect(undelete.back.count == 400)
  }

  /// A kernel writes in place to what it takes for a device's own.
  @Test func `a live device copies what it shares from now on before it writes`() throws {
    let image = try MetadataImage(kernel: "thin/reuse-ext4")
    let undelete = try Undelete(0, from: 15, of: image)
    try undelete.expectSound("reuse-ext4")
    #expect(undelete.recovery.count(.shared) == 710)
    let latest = image.mappings[0]?.values.map(\.time).max() ?? 0
    #expect(image.details(0).snapshottedTime <= latest)
    for device in [0, DeviceDetails.deviceIDMaximum] {
      #expect(undelete.output.details(device).snapshottedTime > latest)
    }
    #expect(undelete.output.superblock.time > latest)
  }

  @Test func `a device of the metadata snapshot comes back, too`() throws {
    let image = try MetadataImage(kernel: "thin/metadata-snapshot")
    let undelete = try Undelete(1, from: 33, of: image)
    try undelete.expectSound("metadata-snapshot")
    #expect(undelete.back == image.mappings(below: 34))
    #expect(undelete.back.count == 80)
  }

  @Test func `a damaged pool is repaired on the way`() throws {
    let image = try MetadataImage(kernel: "thin/just-deleted")
    var damaged = image
    damaged.zero(38)
    let undelete = try Undelete(2, from: 62, of: damaged)
    try undelete.expectSound("leaf of device 1")
    #expect(undelete.back == image.mappings(below: 68))
    var expected = image.mappings
    expected[1] = [:]
    #expect(undelete.others == expected)

    var headless = image
    headless.zero(0)
    var overrides = PoolOverrides()
    overrides.dataBlockSectors = 128
    let second = try Undelete(2, from: 62, of: headless, overriding: overrides)
    try second.expectSound("no superblock")
    #expect(second.back == image.mappings(below: 68))
    #expect(second.others == image.mappings)
  }

  @Test func `ids are the next free ones from the top, or those asked for`() throws {
    let image = try MetadataImage(kernel: "thin/just-deleted")
    #expect(try Undelete(2, from: 62, of: image, as: 2).back.count == 450)
    // thins has the highest id there is.
    let thins = try MetadataImage(kernel: "thin/thins")
    let scratch = try Scratch()
    let old = OldRoots(try thins.open(scratch))
    let root = try #require(old.roots.last { $0.mappings > 0 && $0.standing == .superseded })
    let device = try #require(root.differences.first { $0.mappings > 0 })
    let undelete = try Undelete(device.id, from: root.block, of: thins)
    #expect(undelete.recovery.device.id == DeviceDetails.deviceIDMaximum - 1)
    try undelete.expectSound("thins")
  }

  @Test func `what is not there is refused`() throws {
    let image = try MetadataImage(kernel: "thin/just-deleted")
    #expect { try Undelete(2, from: 68, of: image) } throws: { error in
      if case RecoveryError.noSuchRoot(let trees) = error {
        trees.map(\.root) == [62] && trees.map(\.device) == [2]
      } else {
        false
      }
    }
    #expect { try Undelete(2, from: 78, of: image) } throws: { error in
      if case RecoveryError.noSuchDevice(let others) = error { others == [0, 1, 3] } else { false }
    }
    #expect { try Undelete(2, from: 62, of: image, as: 3) } throws: { error in
      if case RecoveryError.idTaken = error { true } else { false }
    }
    #expect { try Undelete(2, from: 62, of: image, as: 1 << 24) } throws: { error in
      if case RecoveryError.idTooLarge = error { true } else { false }
    }
  }
}
