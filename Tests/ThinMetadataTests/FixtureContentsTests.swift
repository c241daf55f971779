import TestSupport
import Testing
import ThinMetadata

/// Tests on damage hold what comes back against what an image's own reader finds in it, fixture by
/// fixture: were that nothing, they would pass on anything.
@Suite struct FixtureContentsTests {
  @Test func `kernel-made pools have enough to lose`() throws {
    var (devices, mappings, nodes, leaves, held, older) = (0, 0, 0, 0, 0, 0)
    let names = TestFiles.fixtureNames("kernel/thin")
    for name in names {
      let image = try MetadataImage(kernel: "thin/\(name)")
      devices += image.devices.count
      held += image.heldDevices.count
      mappings += image.mappings.values.map(\.count).reduce(0, +)
      for device in image.devices {
        nodes += image.internalNodes(below: device.root).isEmpty ? 0 : 1
        leaves += image.leaves(below: device.root).isEmpty ? 0 : 1
      }
      let scratch = try Scratch()
      let old = OldRoots(try image.open(scratch, .read, .salvage))
      older += old.roots.count { root in root.differences.contains { $0.mappings > 0 } }
    }
    #expect(names.count > 20)
    #expect(devices > 100 && held > 0, "\(devices) \(held)")
    #expect(mappings > 10_000, "\(mappings)")
    #expect(nodes > 20 && leaves > 50, "\(nodes) \(leaves)")
    #expect(older > 20, "\(older)")
  }
}
