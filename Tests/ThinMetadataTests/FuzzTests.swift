import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Whatever the fields of a few blocks hold, checksums put right: nothing traps, what is mended is
/// sound, and what repair writes is sound and has no mapping that never was.
@Suite struct FuzzTests {
  /// For each image; FUZZ_ROUNDS in the environment asks for more.
  private static let rounds =
    ProcessInfo.processInfo.environment["FUZZ_ROUNDS"].flatMap(Int.init) ?? 12

  @Test(arguments: ["snapshots", "three-levels", "metadata-snapshot", "many-devices", "resized"])
  func `random damage is survived`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let blocks = [0] + image.allocatedBlocks
    var random = SeededRandom()
    var rescued = 0
    for round in 0..<Self.rounds {
      var damaged = image
      for _ in 0..<random.number(1...3) {
        // The superblock is one of many, and leads everywhere.
        let block = random.once(in: 6) ? 0 : blocks.randomElement(using: &random) ?? 0
        damaged.spoil(block, &random)
      }
      let place: Comment = "\(name), seed \(random.seed), round \(round)"
      let report = try damaged.check()
      if report.isComplete, report.findings.worst != .error {
        try expectMendable(damaged, place)
      }
      if try expectRepairable(damaged, place) { rescued += 1 }
    }
    #expect(rescued > 0, "seed \(random.seed)")
  }

  private func expectMendable(_ image: MetadataImage, _ place: Comment) throws {
    let scratch = try Scratch()
    let file = try image.open(scratch, .write)
    let report = CheckReport(of: file, CheckScope())
    try report.mend(file)
    let after = CheckReport(of: file, CheckScope())
    let left = after.findings.counts.keys.filter { $0.severity > .warning || $0.entry.isMendable }
    #expect(left.isEmpty, "\(place): \(after.findings.sorted)")
  }

  /// Returns whether there was something to repair.
  private func expectRepairable(_ image: MetadataImage, _ place: Comment) throws -> Bool {
    var overrides = PoolOverrides()
    overrides.dataBlockSectors = 128
    do {
      let rescue = try Rescue(image, overriding: overrides)
      // LVM wants the pool's transaction id to stay, whatever devices say.
      try rescue.expectSound(place, allowing: [.transactionInFuture])
      return true
    } catch is SalvageError {
      // Nothing was left to start from.
      return false
    } catch is WriteError {
      // The superblock asks for more data blocks than the output, or any metadata, can count.
      return false
    }
  }
}

extension MetadataImage {
  /// Sets a field to something odd and puts the checksum right.
  mutating func spoil(_ block: UInt64, _ random: inout SeededRandom) {
    guard let kind = withBlock(block, { BlockKind(of: $0) }) else { return }
    let values: [UInt64] = [
      0, 1, 2, 3, 83, 252, 255, 256, UInt64(blockCount), UInt64(blockCount) - 1, 1 << 24, 1 << 32,
      1 << 40, 1 << 63, .max, .max - 1, random.number(0..<UInt64(blockCount)), random.next(),
      random.next() >> 32,
    ]
    // Headers and the superblock's fields are what everything else is computed from.
    let end = random.once(in: 2) ? MetadataBlock.size : kind == .thinSuperblock ? 368 : 64
    let offset = 4 * random.number(1..<end / 4)
    let value = values.randomElement(using: &random) ?? 0
    let isShort = random.once(in: 2) || offset == MetadataBlock.size - 4
    edit(block, as: kind) { bytes in
      if isShort {
        bytes[Field<UInt32>(at: offset)] = UInt32(truncatingIfNeeded: value)
      } else {
        bytes[Field<UInt64>(at: offset)] = value
      }
    }
  }
}
