import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What is superseded is found wherever a kernel can have left it, and no more is read for that
/// than has to be.
@Suite struct CensusReachTests {
  /// Blocks behind the last one in use that have to hold nothing before reading stops.
  private static let stretch = 16_320

  /// A pool at the start of a file, whose list of devices stands at `place` as well, as an old one.
  private struct Pool {
    let image: MetadataImage
    let oldList: Data
    let path: String
    private let scratch: Scratch

    init(place: Int) throws {
      scratch = try Scratch()
      image = try MetadataImage(kernel: "thin/just-deleted")
      let live = image.superblock.mappingRoot
      var list = image
      list.set(live, as: .btreeNode, BTreeNode.Layout.block, to: UInt64(place))
      let start = Int(live) * MetadataBlock.size
      oldList = Data(list.bytes[start..<start + MetadataBlock.size])
      path = try scratch.file("pool", Data(image.bytes))
      // Nothing is written between, so that this is a hole.
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try file.seek(toOffset: UInt64(place * MetadataBlock.size))
      try file.write(contentsOf: oldList)
      try file.close()
    }

    /// Puts bytes that are nothing into what is a hole before block `end`.
    func fill(before end: Int) throws {
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try file.seek(toOffset: UInt64(image.bytes.count))
      let rest = end - image.blockCount
      try file.write(contentsOf: Data(repeating: 0xA5, count: rest * MetadataBlock.size))
      try file.close()
    }

    func roots() throws -> [MetadataBlock] {
      OldRoots(try BlockFile(path, .read, .salvage)).roots.map(\.block)
    }
  }

  @Test(arguments: [2000, 16_000])
  func `an old state close behind what is in use is found among other bytes`(
    place: Int
  ) throws {
    let pool = try Pool(place: place)
    try pool.fill(before: place)
    #expect(try pool.roots().contains(MetadataBlock(index: place)))
  }

  @Test func `a long stretch that holds nothing of a pool ends the search`() throws {
    let place = 1024 + 2 * Self.stretch
    let pool = try Pool(place: place)
    try pool.fill(before: place)
    let roots = try pool.roots()
    #expect(!roots.contains(MetadataBlock(index: place)))
    // Those of the pool itself are all there.
    #expect(try roots == OldRoots(pool.image.open(Scratch(), .read, .salvage)).roots.map(\.block))
  }

  @Test func `behind a hole everything is looked at, however large it is`() throws {
    let place = 4_000_000
    let pool = try Pool(place: place)
    #expect(try pool.roots().contains(MetadataBlock(index: place)))
  }

  @Test func `where the counts can't be read the whole device is looked at`() throws {
    let place = 1024 + 2 * Self.stretch
    let pool = try Pool(place: place)
    try pool.fill(before: place)
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: pool.path))
    try file.write(contentsOf: Data(count: MetadataBlock.size))
    try file.close()
    #expect(try pool.roots().contains(MetadataBlock(index: place)))
  }
}
