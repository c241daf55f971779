import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// The states that a device still holds are all found, and told for what they are.
@Suite struct OldRootsTests {
  private func roots(_ image: MetadataImage) throws -> OldRoots {
    let scratch = try Scratch()
    return OldRoots(try image.open(scratch, .read, .salvage))
  }

  @Test func `the state before a device was deleted is found whole`() throws {
    let old = try roots(MetadataImage(kernel: "thin/just-deleted"))
    #expect(old.live?.block == 78)
    let root = try #require(old.roots.dropFirst().first)
    #expect(root.block == 62)
    #expect(root.standing == .superseded)
    #expect(root.detailsRoot == 73)
    #expect(root.time == 2 && root.transactionID == 2 && !root.isDateExact)
    #expect(root.isWhole && root.isConfirmed)
    #expect(root.deviceCount == 4 && root.mappings == 1355)
    #expect(root.lackedCount == 0)
    let gone = try #require(root.differences.first)
    #expect(root.differences.count == 1)
    #expect(gone.id == 2 && gone.kind == .gone && gone.root == 68)
    #expect(gone.mappings == 450 && gone.mappedBlocks == 450 && gone.isWhole)
  }

  /// Where a list of devices takes one block, every block that can be one is a state.
  @Test(arguments: ["just-deleted", "snapshots", "metadata-snapshot", "power-cut", "reuse-ext4"])
  func `every list of devices is a root, with what can be read below it`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let old = try roots(image)
    let lists = image.deviceLists
    #expect(old.roots.map(\.block).sorted() == lists.map { MetadataBlock(UInt32($0.block)) })
    for list in lists {
      let root = try #require(old[MetadataBlock(UInt32(list.block))])
      #expect(root.deviceCount == list.keys.count)
      guard root.isWhole else { continue }
      let count = list.values.reduce(0) { $0 + image.mappings(below: $1).count }
      #expect(root.mappings == UInt64(count), "root \(list.block)")
      #expect(
        old.devices(below: root.block).map(\.root) == list.values.map { MetadataBlock(UInt32($0)) })
    }
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `the live state comes first, and is whole`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let live = try #require(try roots(image).roots.first)
    #expect(live.standing == .live && live.isWhole && live.isDateExact)
    #expect(UInt64(live.block.number) == image.superblock.mappingRoot)
    #expect(live.deviceCount == image.devices.count)
    #expect(live.mappings == UInt64(image.mappings.values.reduce(0) { $0 + $1.count }))
    #expect(live.deviceCount == 0 || live.isConfirmed)
    #expect(live.differences.isEmpty)
  }

  @Test func `the metadata snapshot has its own date`() throws {
    let image = try MetadataImage(kernel: "thin/metadata-snapshot")
    let root = try #require(try roots(image).roots.first { $0.standing == .metadataSnapshot })
    #expect(root.block == 33)
    #expect(root.time == 0 && root.transactionID == 7 && root.isDateExact)
    #expect(root.differences.map(\.id) == [0, 1])
    #expect(root.differences.map(\.isWorthKnowing) == [false, true])
  }

  @Test func `a list of several blocks is one root`() throws {
    let image = try MetadataImage(kernel: "thin/many-devices")
    let old = try roots(image)
    #expect(image.leaves(below: image.superblock.mappingRoot).count > 2)
    for leaf in image.leaves(below: image.superblock.mappingRoot) {
      #expect(old[MetadataBlock(UInt32(leaf.block))] == nil)
    }
    #expect(old.devices(below: old.live?.block ?? 0).map(\.id) == image.devices.map(\.id))
  }

  @Test func `what became of a missing block is told`() throws {
    let image = try MetadataImage(kernel: "thin/just-deleted")
    var damaged = image
    damaged.zero(72)
    // The same leaf with keys that its parent gives to another one.
    var reused = image
    reused.edit(72, as: .btreeNode) { bytes in
      for entry in 0..<225 { bytes[image.node(72).key(entry)] = UInt64(1000 + entry) }
    }
    for (changed, isDamaged) in [(damaged, true), (reused, false)] {
      let root = try #require(try roots(changed)[62])
      #expect(root.missing.damaged == (isDamaged ? 1 : 0))
      #expect(root.missing.reused == (isDamaged ? 0 : 1))
      let device = try #require(root.differences.first)
      #expect(device.id == 2 && device.mappings == 225 && device.mappedBlocks == 450)
      #expect(!device.isWhole)
    }
  }

  @Test func `without a superblock no state is live, and all are found`() throws {
    let image = try MetadataImage(kernel: "thin/just-deleted")
    var damaged = image
    damaged.zero(0)
    let old = try roots(damaged)
    #expect(old.superblock == nil && old.live == nil)
    #expect(try Set(old.roots.map(\.block)) == Set(roots(image).roots.map(\.block)))
  }

  @Test func `a device whose id was given to another is told from it`() throws {
    var image = try MetadataImage(kernel: "thin/just-deleted")
    let (block, offset) = image.detailsPlace(0)
    image.set(
      block, as: .btreeNode, DeviceDetails.Layout.transactionID.shifted(by: offset), to: 3)
    let difference = try #require(try roots(image)[21]?.differences.first)
    #expect(difference.id == 0 && difference.kind == .replaced)
  }

  @Test func `the only mapping of a device, to data block 0, is no list of devices`() throws {
    let scratch = try Scratch()
    let path = try scratch.blank("pool", bytes: 64 * MetadataBlock.size)
    var restorer = try Restorer(try BlockFile(path, .write))
    try restorer.begin(
      PoolHeader(time: 3, transactionID: 3, dataBlockSectors: 128, dataBlockCount: 100))
    // The mapping's value is its time, which is the number of a block: another device's tree.
    for (id, time) in [(0, 0), (1, 1)] as [(UInt64, UInt32)] {
      try restorer.beginDevice(
        DeviceHeader(
          id: id,
          details: DeviceDetails(
            mappedBlocks: 1, transactionID: 3, creationTime: 0, snapshottedTime: 0)))
      try restorer.run(MappingRun(virtualBegin: 5, dataBegin: id * 7, length: 1, time: time))
      try restorer.endDevice()
    }
    try restorer.end()
    var image = try MetadataImage(file: path)
    let (first, second) = (image.root(of: 0), image.root(of: 1))
    image.set(first, as: .btreeNode, image.node(first).value(0), to: second)
    let old = try roots(image)
    #expect(old.roots.map(\.standing) == [.live])
    #expect(old.live?.mappings == 2)
  }
}

extension MetadataImage {
  /// Blocks that are leaves whose keys can be ids and whose values can be blocks, ascending.
  var deviceLists: [ImageNode] {
    (1..<UInt64(blockCount)).filter(isNode).map(node).filter { node in
      guard node.isLeaf, node.valueSize == 8, !node.keys.isEmpty else { return false }
      let areBlocks = node.values.allSatisfy { $0 > 0 && $0 < blockCount }
      if node.keys.count > 1 { return areBlocks }
      return areBlocks && isNode(node.values[0]) && self.node(node.values[0]).valueSize == 8
    }
  }

  private func isNode(_ block: UInt64) -> Bool {
    withBlock(block) { BlockKind(of: $0) == .btreeNode && BTreeNode($0).block == block }
  }
}
