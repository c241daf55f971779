import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// A pool whose superblock is gone is found by its other blocks.
@Suite struct LostSuperblockTests {
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `every mapping comes back as it was in the last commit`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let rescue = try Rescue(withoutSuperblock: image)
    try rescue.expectSound("\(name)")
    #expect(rescue.output.mappings == image.mappings)
    #expect(rescue.output.allDetails == image.allDetails)
    #expect(rescue.salvage.search != nil)
    #expect(
      rescue.output.superblock.dataSpaceMap.blockCount == image.superblock.dataSpaceMap.blockCount)
  }

  /// At most one commit can be whole on the device and not yet in the superblock: all of it is
  /// written before the superblock is. Then that one is the newest, and is found.
  @Test func `while a pool is written, the last commit or the one under way is found`() throws {
    let log = try WriteLog(TestFiles.unpacked("kernel/thin/log-writes.log.xz"))
    var images: [(entry: Int, image: MetadataImage)] = []
    log.forEachImage(blocks: 512) { image, entry in images.append((entry, image)) }
    // The commits' states, in order.
    var commits: [MetadataImage] = []
    for (_, image) in images where commits.last.map({ !image.hasSameSuperblock(as: $0) }) ?? true {
      commits.append(image)
    }
    #expect(commits.count > 8)
    var commit = 0
    var found = (current: 0, next: 0)
    for (entry, image) in images {
      if commit + 1 < commits.count, image.hasSameSuperblock(as: commits[commit + 1]) {
        commit += 1
      }
      let rescue = try Rescue(withoutSuperblock: image)
      try rescue.expectSound("entry \(entry)")
      let state = rescue.output.mappings
      if state == image.mappings {
        found.current += 1
      } else if commit + 1 < commits.count, state == commits[commit + 1].mappings {
        found.next += 1
      } else {
        Issue.record("after entry \(entry) the state is neither the last commit nor the next")
      }
    }
    #expect(found.current > found.next && found.next > 0, "\(found)")
  }

  /// All fixtures whose metadata takes few blocks, each of these lost in turn.
  @Test(arguments: [
    "discard-leak", "external-origin", "just-deleted", "log-writes", "needs-check", "reuse-all",
    "reuse-other-device", "reuse-same-leaf", "snapshots", "thins",
  ])
  func `when the last commit lost a block too, no older state is taken for it silently`(
    name: String
  ) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let mappings = image.mappings
    for block in image.allocatedBlocks {
      var damaged = image
      damaged.zero(block)
      do {
        let rescue = try Rescue(withoutSuperblock: damaged, sizedLike: image)
        let isRight = rescue.output.mappings.allSatisfy { device, kept in
          let known = mappings[device, default: [:]]
          return kept.allSatisfy { known[$0.key] == $0.value }
        }
        let isTold = rescue.salvage.search?.isDoubtful == true
        #expect(isRight || isTold, "\(name), block \(block)")
      } catch is SalvageError {
        // To refuse is the other right answer.
      }
    }
  }

  /// Blocks of all ages lie around the newest state: the kernel has gone round the device several
  /// times, with activations in between. Records of devices tell much of their order, not all.
  @Test func `of a small device with many commits behind it, the last state is found`() throws {
    let states = try MetadataImage.states("thin/many-commits")
    #expect(states.count == 60)
    var right = 0
    for (turn, image) in states.enumerated() {
      let rescue = try Rescue(withoutSuperblock: image)
      let isRight = rescue.output.hasSameMappings(as: image)
      #expect(isRight || rescue.salvage.search?.isDoubtful == true, "turn \(turn)")
      right += isRight ? 1 : 0
    }
    #expect(right >= 58)
  }

  @Test func `where the last commit lost its index block as well, an older state is DOUBTFUL`()
    throws
  {
    var found = 0
    for (turn, image) in try MetadataImage.states("thin/many-commits").enumerated() {
      var damaged = image
      damaged.zero(image.superblock.metadataSpaceMap.bitmapRoot)
      do {
        let rescue = try Rescue(withoutSuperblock: damaged, sizedLike: image)
        let isRight = rescue.output.hasSameMappings(as: image)
        #expect(isRight || rescue.salvage.search?.isDoubtful == true, "turn \(turn)")
        found += 1
      } catch is SalvageError {
        // To refuse is the other right answer.
      }
    }
    #expect(found > 30)
  }

  @Test func `a pool whose only mapping leads to data block 0 is found, and an empty device`()
    throws
  {
    for mappings in [1, 0] as [UInt64] {
      let header = PoolHeader(
        time: 0, transactionID: 3, dataBlockSectors: 128, dataBlockCount: 100)
      let details = DeviceDetails(
        mappedBlocks: mappings, transactionID: 3, creationTime: 0, snapshottedTime: 0)
      let scratch = try Scratch()
      let path = try scratch.blank("pool", bytes: 64 * MetadataBlock.size)
      var restorer = try Restorer(try BlockFile(path, .write))
      try restorer.begin(header)
      try restorer.beginDevice(DeviceHeader(id: 0, details: details))
      if mappings > 0 {
        try restorer.run(MappingRun(virtualBegin: 0, dataBegin: 0, length: 1, time: 0))
      }
      try restorer.endDevice()
      try restorer.end()
      let image = try MetadataImage(file: path)
      for rescue in [try Rescue(image), try Rescue(withoutSuperblock: image)] {
        try rescue.expectSound("")
        #expect(rescue.output.mappings == image.mappings)
        #expect(rescue.output.allDetails == image.allDetails)
      }
    }
  }

  /// An empty node that nothing refers to, and whose checksum is right, may say what it likes.
  @Test(arguments: [254, 4065, 0x1_0000, .max] as [UInt32])
  func `a stray node of no entries does no harm, whatever size its values have`(
    valueSize: UInt32
  ) throws {
    let sound = try MetadataImage(kernel: "thin/snapshots")
    var image = sound
    let stray = UInt64(image.blockCount - 1)
    #expect(!image.allocatedBlocks.contains(stray))
    image.zero(stray)
    image.edit(stray, as: .btreeNode) { bytes in
      bytes[BTreeNode.Layout.flags] = BTreeNode.Kind.leaf.rawValue
      bytes[BTreeNode.Layout.block] = stray
      bytes[BTreeNode.Layout.valueSize] = valueSize
    }
    let rescue = try Rescue(withoutSuperblock: image)
    #expect(rescue.output.mappings == sound.mappings)
    let scratch = try Scratch()
    _ = OldRoots(try image.open(scratch, .read, .salvage))
  }

  /// Leaves of old states are compared with those that came after them, entry by entry.
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `old leaves with room for fewer entries than newer ones have do no harm`(
    name: String
  ) throws {
    var image = try MetadataImage(kernel: "thin/\(name)")
    let used = Set(image.allocatedBlocks)
    for block in 1..<UInt64(image.blockCount) where !used.contains(block) {
      guard image.withBlock(block, { BlockKind(of: $0) }) == .btreeNode else { continue }
      let count = UInt32(image.node(block).keys.count)
      image.set(block, as: .btreeNode, BTreeNode.Layout.maxEntries, to: count)
    }
    try Rescue(withoutSuperblock: image).expectSound("\(name)")
  }

  @Test func `without a superblock, the data block size has to be given`() throws {
    var image = try MetadataImage(kernel: DamageCase.plain)
    image.zero(0)
    #expect { try Rescue(image) } throws: { error in
      if case SalvageError.dataBlockSizeUnknown = error { true } else { false }
    }
  }

  @Test func `the data block size is taken from a metadata snapshot`() throws {
    let image = try MetadataImage(kernel: "thin/metadata-snapshot")
    var damaged = image
    damaged.zero(0)
    let rescue = try Rescue(damaged)
    #expect(rescue.output.superblock.dataBlockSectors == image.superblock.dataBlockSectors)
    #expect(rescue.output.mappings == image.mappings)
  }
}

extension MetadataImage {
  /// The states of a fixture that has several, in the order in which they were committed.
  fileprivate static func states(_ name: String) throws -> [MetadataImage] {
    try TestFiles.states(name).map { MetadataImage([UInt8]($0)) }
  }

  /// Whether all mappings are there, and no others; some may be older than they were.
  fileprivate func hasSameMappings(as other: MetadataImage) -> Bool {
    let (found, known) = (mappings, other.mappings)
    return Set(found.keys) == Set(known.keys)
      && found.allSatisfy { device, found in
        let known = known[device, default: [:]]
        return found.count == known.count && isTrue(found, to: known)
      }
  }

  fileprivate func hasSameSuperblock(as other: MetadataImage) -> Bool {
    superblock == other.superblock
  }
}
