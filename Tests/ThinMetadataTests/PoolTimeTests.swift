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

  @Test func `the latest time there can be is sound`() throws {
    var image = try MetadataImage(kernel: DamageCase.plain)
    image.set(0, as: .thinSuperblock, Superblock.Layout.time, to: Mapping.timeMaximum)
    #expect(try image.check().findings.isEmpty)
  }
}
