import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What comes back of lost leaves when less than proof is accepted.
@Suite struct AcceptanceTests {
  /// Mappings of lost leaves, one leaf lost at a time.
  private struct Tally: Equatable {
    var lost = 0
    var right = 0
    var wrong = 0
  }

  private func tally(
    _ name: String, accepting acceptance: Provenance, leaves limit: Int = 12
  ) throws -> Tally {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let before = image.mappings
    var tally = Tally()
    var seen: Set<UInt64> = []
    for (device, root) in image.devices {
      for leaf in image.leaves(below: root)
      where !leaf.keys.isEmpty && seen.count < limit && seen.insert(leaf.block).inserted {
        var damaged = image
        damaged.zero(leaf.block)
        let rescue = try Rescue(damaged, accepting: acceptance)
        try rescue.expectSound("\(name), leaf \(leaf.block)")
        let known = before[device, default: [:]]
        let after = rescue.output.mappings[device, default: [:]]
        tally.lost += leaf.keys.count
        tally.right += leaf.keys.filter { after[$0]?.dataBlock == known[$0]?.dataBlock }.count
        tally.wrong += after.filter { known[$0.key]?.dataBlock != $0.value.dataBlock }.count
      }
    }
    return tally
  }

  /// Each block that anything maps is counted once more than it is: any of them may have stood in
  /// the lost leaf, more than it has room for.
  @Test(arguments: ["data-full", "snapshots", "thins", "power-cut"])
  func `where more could have stood in a leaf than it holds, it is filled and no more`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var damaged = image
    let map = image.dataMap
    for block in 0..<Int(map.root.blockCount) where image.count(block, in: map) == 1 {
      damaged.setCount(block, to: 2, in: map)
    }
    let leaf = try #require(image.devices.flatMap { image.leaves(below: $0.root) }.first)
    damaged.zero(leaf.block)
    // With a device's details at the end of numbers, sums have no room for more.
    for details in [nil, UInt64.max] as [UInt64?] {
      if let details {
        for device in image.devices {
          let (block, offset) = image.detailsPlace(device.id)
          damaged.set(
            block, as: .btreeNode, DeviceDetails.Layout.mappedBlocks.shifted(by: offset),
            to: details)
        }
      }
      for acceptance in [Provenance.likely, .guessed] {
        let rescue = try Rescue(damaged, accepting: acceptance)
        try rescue.expectSound("\(name), \(acceptance)", allowing: [.snapshottedTimeTooLow])
        for result in rescue.salvage.results where details == nil {
          #expect(result.mappedBlocks <= result.mappedBlocksBefore ?? 0, "\(name)")
        }
      }
    }
  }

  /// Every fixture but one: there all blocks of a deleted volume were given out again, to another
  /// that maps them elsewhere. The old volume's leaf, with a sound checksum, fits in every way;
  /// nothing on the device says that it isn't a copy of the lost one.
  private static let deceiving = ["reuse-all"]

  @Test(arguments: TestFiles.fixtureNames("kernel/thin").filter { !deceiving.contains($0) })
  func `likely mappings are right wherever one image can tell`(name: String) throws {
    let likely = try tally(name, accepting: .likely)
    #expect(likely.wrong == 0)
    #expect(likely.right >= (try tally(name, accepting: .proven)).right)
  }

  @Test(arguments: deceiving)
  func `where all blocks were given out again, likely mappings are wrong`(name: String) throws {
    #expect(try tally(name, accepting: .proven) == Tally(lost: 100, right: 0, wrong: 0))
    #expect(try tally(name, accepting: .likely) == Tally(lost: 100, right: 0, wrong: 100))
  }

  /// Shares that were measured, rounded down: of the mappings of lost leaves.
  @Test(arguments: [
    ("crash-writes", Provenance.likely, 70), ("discard-crash", .likely, 35),
    ("ext4", .proven, 75), ("ext4", .likely, 80), ("just-deleted", .proven, 70),
    ("power-cut", .proven, 50), ("power-cut", .likely, 85), ("resized", .likely, 30),
    ("resized", .guessed, 80), ("reuse-ext4", .likely, 40), ("snapshots", .proven, 75),
    ("snapshots-of-snapshots", .proven, 95), ("three-levels", .guessed, 90),
  ])
  func `as much comes back as has been measured`(
    name: String, acceptance: Provenance, percent: Int
  ) throws {
    let tally = try tally(name, accepting: acceptance)
    #expect(tally.right * 100 >= percent * tally.lost, "\(tally)")
  }

  @Test func `what is left out is counted`() throws {
    let image = try MetadataImage(kernel: "thin/resized")
    var damaged = image
    damaged.zero(try image.leafPlace.leaf.block)
    let plain = try Rescue(damaged)
    let all = try Rescue(damaged, accepting: .guessed)
    for (device, whole) in zip(plain.salvage.results, all.salvage.results) {
      #expect(device.id == whole.id)
      #expect(whole.leftOut.isEmpty)
      for provenance in [Provenance.likely, .guessed] {
        #expect(device.leftOut[provenance] == whole.kept[provenance])
      }
    }
    #expect(plain.salvage.results.contains { !$0.leftOut.isEmpty })
  }
}
