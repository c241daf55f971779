import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// The pool's time goes into mappings, where it has 24 bits.
@Suite struct PoolTimeTests {
  @Test(arguments: [1 << 24, UInt32.max])
  func `repair takes a time that no mapping has room for back to what can be seen`(
    time: UInt32
  ) throws {
    var image = try MetadataImage(kernel: DamageCase.manySnapshots)
    let before = image.superblock.time
    image.set(0, as: .thinSuperblock, Superblock.Layout.time, to: time)
    let rescue = try Rescue(image)
    try rescue.expectSound("time \(time)")
    #expect(rescue.output.superblock.time == before)
    #expect(rescue.output.mappings == image.mappings)
  }

  @Test func `repair takes such a time of a device back to the pool's`() throws {
    var image = try MetadataImage(kernel: DamageCase.manySnapshots)
    let (pool, mappings) = (image.superblock.time, image.mappings)
    let device = image.devices[0].id
    let (block, offset) = image.detailsPlace(device)
    for field in [DeviceDetails.Layout.creationTime, DeviceDetails.Layout.snapshottedTime] {
      image.set(block, as: .btreeNode, field.shifted(by: offset), to: Mapping.timeMaximum + 1)
    }
    let rescue = try Rescue(image)
    try rescue.expectSound("device \(device)")
    let details = rescue.output.details(device)
    #expect(rescue.output.superblock.time == pool)
    #expect(details.creationTime == pool && details.snapshottedTime == pool)
    #expect(rescue.output.mappings == mappings)
  }

  @Test func `the latest time there can be is sound`() throws {
    var image = try MetadataImage(kernel: DamageCase.plain)
    image.set(0, as: .thinSuperblock, Superblock.Layout.time, to: Mapping.timeMaximum)
    #expect(try image.check().findings.isEmpty)
  }
}
