import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// The size that people are told to make new metadata with: enough, with room, and no more.
@Suite struct NewSizeTests {
  @Test(
    arguments: [
      // needed, old, told
      (1, 1024, 1024), (30, 500, 500), (600, 1024, 1024), (2600, 100_000, 5200), (1, 100_000, 4096),
      (1000, 1000, 1000), (1001, 1000, 1134), (300, 5_000_000, 4096),
      (4_000_000, 5_000_000, 4_161_600), (4_161_600, 10, 4_161_600), (.max, 10, 4_161_600),
    ] as [(UInt64, UInt64, UInt64)])
  func `a size is enough, leaves room, and is one that a kernel can use`(
    needed: UInt64, old: UInt64, told: UInt64
  ) {
    #expect(NewSize.blocks(needed: needed, old: old) == told)
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `the size that a dry run tells takes the repair, and a smaller one is refused untouched`(
    name: String
  ) throws {
    var image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom()
    if let lost = image.allocatedBlocks.dropFirst().randomElement(using: &random) {
      image.zero(lost)
    }
    let place: Comment = "\(name), seed \(random.seed)"
    let scratch = try Scratch()
    let salvage = try Salvage(image.open(scratch, .read, .salvage), overriding: PoolOverrides())
    let told = try Int(salvage.neededBlocks(on: UInt64(image.blockCount)))
    let path = try scratch.blank("new", bytes: told * MetadataBlock.size)
    try salvage.restore(to: BlockFile(path, .write))
    let new = try MetadataImage(file: path)
    #expect(try new.check().findings.worst ?? .note < .leak, place)

    // The index of the metadata space map is the last block that is written.
    let needed = Int(new.superblock.metadataSpaceMap.bitmapRoot) + 1
    let small = try scratch.blank("small", bytes: (needed - 1) * MetadataBlock.size)
    let error = #expect(throws: WriteError.self, place) {
      try salvage.restore(to: BlockFile(small, .write))
    }
    guard case .outputTooSmall(let enough, let available)? = error else {
      Issue.record("\(String(describing: error)), \(place)")
      return
    }
    #expect(available == UInt64(needed - 1) && enough >= UInt64(needed), place)
    #expect(enough <= NewSize.sufficient(for: UInt64(needed)), place)
    // It was counted before anything was written.
    #expect(try MetadataImage(file: small).bytes.allSatisfy { $0 == 0 }, place)
  }
}
