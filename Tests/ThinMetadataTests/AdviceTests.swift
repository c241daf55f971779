import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Advice for what no fixture shows.
@Suite struct AdviceTests {
  private func lines(_ rule: Rule) throws -> [String] {
    let damage = try #require(DamageCase.all.first { $0.rule == rule })
    var image = try MetadataImage(kernel: damage.image)
    _ = try damage.damage(&image)
    return Advice(try image.check(), input: "DEV", isMended: false).lines
  }

  @Test func `a pool's transaction id that may be too low can be put right`() throws {
    #expect(
      try lines(.transactionInFuture) == [
        "Found 1 warning.",
        "This pool has transaction id 0. If 'lvs -o transaction_id VG/POOL' shows another, N, LVM "
          + "can't activate the pool, or can't make volumes in it. Then write new metadata with N:",
        "  thin_dump DEV -o XML",
        "  truncate -s 8192K NEW    (or NEW is a device)",
        "  thin_restore -i XML -o NEW --transaction-id N",
      ])
  }

  @Test func `blocks that would be written to in place are told with what to do about it`() throws {
    #expect(
      try lines(.snapshottedTimeTooLow) == [
        "Found 1 warning.",
        "With these times the kernel writes in place to blocks that other devices, or other "
          + "virtual blocks, also map, and so changes their data. After mending it copies such "
          + "blocks first. If the pool was written to in this state, check the data.",
        "To mend it with LVM:",
        "  lvmconfig --type full global/thin_check_executable    (must name this program; if it "
          + "doesn't, set it in lvm.conf)",
        "  lvchange -an VG/THIN1 VG/THIN2 VG/POOL VG/POOL_tmeta    (those that are active)",
        "  lvchange -ay --config 'global/thin_check_options=[\"-q\",\"--clear-needs-check-flag\"]' "
          + "VG/POOL    (then its volumes)",
        "To mend it in a file, or a device that can be written to (LVM's POOL_tmeta can't):",
        "  thin_check --auto-repair DEV",
      ])
  }

  @Test func `after mending it is said what a check still finds`() throws {
    var image = try MetadataImage(kernel: "thin/needs-check")
    let (block, offset) = image.detailsPlace(0)
    let mended =
      "is mended as far as possible; a check still finds 1 warning: the device's transaction is "
      + "newer than the pool's."
    #expect(try advice(afterMending: image).hasSuffix(whole))
    image.set(
      block, as: .btreeNode, DeviceDetails.Layout.transactionID.shifted(by: offset),
      to: image.superblock.transactionID + 1)
    let lines = try advice(afterMending: image)
    #expect(lines.contains(mended) && !lines.contains(whole), "\(lines)")
  }

  /// A warning that can't be mended by itself goes away with one that can.
  @Test func `what mending puts right by the way is not called left`() throws {
    let damage = try #require(DamageCase.all.first { $0.rule == .snapshottedTimeTooLow })
    var image = try MetadataImage(kernel: damage.image)
    _ = try damage.damage(&image)
    let device = try #require(try image.check().snapshottedTimesTooLow.first)
    let (block, offset) = image.detailsPlace(device.device)
    image.edit(block, as: .btreeNode) { bytes in
      let time = DeviceDetails.Layout.snapshottedTime.shifted(by: offset)
      bytes[DeviceDetails.Layout.creationTime.shifted(by: offset)] = bytes[time] + 1
    }
    #expect(try image.check().findings.counts[.deviceTimesReversed] == 1)
    let lines = try advice(afterMending: image)
    #expect(lines.hasSuffix(whole), "\(lines)")
  }

  private let whole = "is mended; a check finds nothing wrong any more."

  private func advice(afterMending image: MetadataImage) throws -> String {
    let scratch = try Scratch()
    let path = try scratch.file("mended", Data(image.bytes))
    return try CheckRun(["--auto-repair", path]).advice.joined(separator: "\n")
  }

  @Test func `metadata space that gets short is told with what the kernel keeps back`() throws {
    #expect(
      try lines(.metadataNearlyFull) == [
        "The metadata is sound. If LVM doesn't activate the pool, check that 'lvs -o "
          + "transaction_id VG/POOL' shows 0 too.",
        "Metadata space is short: 34 blocks of 4 KiB are free, and the kernel keeps 15 for itself. "
          + "Make room before the pool stops: 'lvextend --poolmetadatasize +SIZE VG/POOL'.",
      ])
  }
}
