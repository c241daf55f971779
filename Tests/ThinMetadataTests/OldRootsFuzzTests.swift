import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Whatever the blocks hold that are searched for old states, in use or not: nothing traps, and
/// what is written is sound and takes nothing from a live device.
@Suite struct OldRootsFuzzTests {
  private static let rounds =
    ProcessInfo.processInfo.environment["FUZZ_ROUNDS"].flatMap(Int.init) ?? 12

  @Test(arguments: ["just-deleted", "snapshots", "metadata-snapshot", "reuse-ext4"])
  func `random damage to old states is survived`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let nodes = image.nodeBlocks
    let allocated = Set(image.allocatedBlocks)
    let superseded = nodes.filter { !allocated.contains($0) }
    var random = SeededRandom()
    for round in 0..<Self.rounds {
      var damaged = image
      let isOldOnly = random.once(in: 2)
      let targets = isOldOnly ? superseded : [0] + nodes
      for _ in 0..<random.number(1...6) {
        let block = targets.randomElement(using: &random) ?? 0
        switch random.number(0..<4) {
        case 0: damaged.zero(block)
        case 1: damaged.transplant(nodes.randomElement(using: &random) ?? block, to: block)
        default: damaged.spoil(block, &random)
        }
      }
      let place: Comment = "\(name), seed \(random.seed), round \(round)"
      try expectSurvival(of: damaged, before: isOldOnly ? image : nil, place, &random)
    }
  }

  /// `image`: what the live state has to be, where only old blocks were changed.
  private func expectSurvival(
    of damaged: MetadataImage, before image: MetadataImage?, _ place: Comment,
    _ random: inout SeededRandom
  ) throws {
    let scratch = try Scratch()
    let old = OldRoots(try damaged.open(scratch, .read, .salvage))
    for showsAll in [true, false] {
      _ = RootListing(old, input: "pool", showsAll: showsAll)
    }
    var overrides = PoolOverrides()
    overrides.dataBlockSectors = 128
    for root in old.roots.shuffled(using: &random).prefix(2) {
      let device = old.devices(below: root.block).randomElement(using: &random)?.id ?? 0
      do {
        let undelete = try Undelete(device, from: root.block, of: damaged, overriding: overrides)
        // LVM wants the pool's transaction id to stay, whatever devices say.
        try undelete.expectSound(place, allowing: [.transactionInFuture])
        _ = RecoverySummary(undelete.recovery, output: "output")
        if let image { #expect(undelete.others == image.mappings, place) }
      } catch is SalvageError {
        // Nothing was left to start from.
      } catch is RecoveryError {
        // The device was in a part of the list that is gone.
      } catch is WriteError {
        // The superblock asks for more data blocks than the output, or any metadata, can count.
      }
    }
  }
}

extension MetadataImage {
  /// Blocks that hold nodes, in use or not.
  fileprivate var nodeBlocks: [UInt64] {
    (1..<UInt64(blockCount)).filter { block in
      withBlock(block) { BlockKind(of: $0) == .btreeNode }
    }
  }

  /// Puts a copy of a node in place of another block, as if it had been written there.
  fileprivate mutating func transplant(_ source: UInt64, to target: UInt64) {
    copy(source, to: target)
    set(target, as: .btreeNode, BTreeNode.Layout.block, to: target)
  }
}
