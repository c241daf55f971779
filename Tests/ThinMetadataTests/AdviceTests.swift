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
        "LVM activates a pool only if it has the transaction id that LVM expects; this one has 0. "
          + "Should LVM say 'transaction_id is 0, while expected N', give it that number in new "
          + "metadata:",
        "  thin_dump DEV -o XML",
        "  thin_restore -i XML -o NEW --transaction-id N",
        "NEW is a device, or a file made with 'truncate -s 8192K NEW'.",
      ])
  }

  @Test func `blocks that would be written to in place are told with what to do about it`() throws {
    #expect(
      try lines(.snapshottedTimeTooLow) == [
        "Found 1 warning.",
        "With such times the kernel writes to blocks that other devices, or other virtual blocks, "
          + "have as well, and changes what these read; mended, it copies such blocks first. If "
          + "the pool was written to in this state, check the data.",
        "To mend this with LVM, deactivate all volumes of the pool and the pool, then:",
        "  lvchange -ay --config 'global/thin_check_options=[\"-q\",\"--clear-needs-check-flag\"]' "
          + "VG/POOL",
        "To mend it in a file, or a device that is not in use:",
        "  thin_check --auto-repair DEV",
      ])
  }

  @Test func `after mending it is said what a check still finds`() throws {
    var image = try MetadataImage(kernel: "thin/needs-check")
    let (block, offset) = image.detailsPlace(0)
    let mended =
      "Mended in place what can be; a check still finds 1 warning: the device's transaction is "
      + "newer than the pool's."
    let whole = "Mended in place; a check finds nothing wrong any more."
    let scratch = try Scratch()
    #expect(try advice(afterMending: image, scratch).contains(whole))
    image.set(
      block, as: .btreeNode, DeviceDetails.Layout.transactionID.shifted(by: offset),
      to: image.superblock.transactionID + 1)
    let lines = try advice(afterMending: image, scratch)
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
    let lines = try advice(afterMending: image, Scratch())
    #expect(
      lines.contains("Mended in place; a check finds nothing wrong any more."), "\(lines)")
  }

  private func advice(afterMending image: MetadataImage, _ scratch: Scratch) throws -> [String] {
    let path = try scratch.file("mended", Data(image.bytes))
    return try CheckRun(["--auto-repair", path]).advice
  }

  @Test func `metadata space that gets short is told with what the kernel keeps back`() throws {
    #expect(
      try lines(.metadataNearlyFull) == [
        "Metadata space is short: 34 blocks of 4 KiB are free, and the kernel keeps 15 for itself. "
          + "Make room before the pool stops: 'lvextend --poolmetadatasize +SIZE VG/POOL'."
      ])
  }
}
