import PersistentData
import TestSupport
import Testing
import ThinMetadata

extension Field {
  /// The bytes it takes.
  fileprivate var range: Range<Int> { offset..<offset + size }
}

/// Structures on disk: every byte has one field, and what is read is what is written.
@Suite struct ThinLayoutTests {
  @Test func `the fields of the superblock cover it without gap or overlap`() {
    typealias Layout = Superblock.Layout
    let maps = [Layout.dataSpaceMap, Layout.metadataSpaceMap].map {
      $0..<$0 + SpaceMapRoot.Layout.reservedSize
    }
    let fields = [
      Layout.checksum.range, Layout.flags.range, Layout.block.range, Layout.uuidLow.range,
      Layout.uuidHigh.range, Layout.magic.range, Layout.version.range, Layout.time.range,
      Layout.transactionID.range, Layout.heldRoot.range, Layout.mappingRoot.range,
      Layout.detailsRoot.range, Layout.dataBlockSectors.range, Layout.metadataBlockSectors.range,
      Layout.metadataBlockCount.range, Layout.compatibleFlags.range,
      Layout.readOnlyCompatibleFlags.range, Layout.incompatibleFlags.range,
    ]
    #expect(FieldRanges(fields + maps, cover: Layout.size).faults == [])
  }

  @Test func `the fields of device details cover them without gap or overlap`() {
    typealias Layout = DeviceDetails.Layout
    let fields = [
      Layout.mappedBlocks.range, Layout.transactionID.range, Layout.creationTime.range,
      Layout.snapshottedTime.range,
    ]
    #expect(FieldRanges(fields, cover: Layout.size).faults == [])
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `a kernel's superblock, read and written again, has the same bytes`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let held = image.superblock.heldRoot
    for block in held == 0 ? [0] : [0, held] {
      let superblock = image.withBlock(block) { Superblock($0) }
      var copy = image
      copy.zero(block)
      copy.edit(block, as: .thinSuperblock) { superblock.encode(into: &$0) }
      #expect(image.differingBlocks(copy).isEmpty)
    }
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `a kernel's index entries and details, read and written again, have the same bytes`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var copy = image
    for map in [image.dataMap, image.metadataMap] {
      for place in map.entries {
        copy.damage(place.block) { bytes in
          IndexEntry(block: 0, freeCount: 0, noneFreeBefore: 0)
            .encode(into: &bytes, at: place.offset)
          place.entry.encode(into: &bytes, at: place.offset)
        }
      }
      copy.damage(0) { map.root.encode(into: &$0, at: map.rootOffset) }
    }
    for device in image.devices {
      let place = image.detailsPlace(device.id)
      let details = image.details(device.id)
      copy.damage(place.block) { details.encode(into: &$0, at: place.offset) }
    }
    #expect(image.differingBlocks(copy).isEmpty)
  }

  @Test func `every field is written where it is read`() {
    var random = SeededRandom()
    for _ in 0..<200 {
      var image = MetadataImage((0..<4096).map { _ in random.number(0...255) })
      let superblock = image.superblock
      image.edit(0, as: .thinSuperblock) { superblock.encode(into: &$0) }
      #expect(image.superblock == superblock, "seed \(random.seed)")
      let value: UInt64 = random.next()
      #expect(Mapping(value).value == value, "seed \(random.seed)")
    }
    #expect(Mapping(dataBlock: 5, time: 7).value == 5 << 24 | 7)
  }
}
