import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Pools made up at random go through everything that writes and reads metadata, and come back
/// the same.
@Suite struct RestorerTests {
  /// Room for any of these pools.
  private static let roomyBlocks = 6000

  /// A pool that fills its data device is worth a note, and may well come by. Made up at random,
  /// times let a kernel write to shared blocks in place, which has to be said just where it is so.
  private func findings(_ image: MetadataImage, _ place: Comment) throws -> [Finding] {
    let report = try image.check()
    let found = report.snapshottedTimesTooLow.map { ($0.device, $0.lowest) }
    let expected = SharingModel(image).lowestSnapshottedTimes
    #expect(Dictionary(uniqueKeysWithValues: found) == expected, place)
    let allowed: Set = [Rule.dataFull, .snapshottedTimeTooLow]
    return report.findings.sorted.filter { !allowed.contains($0.rule) }
  }

  @Test func `any pool comes out as it was given, and times are all that may be wrong`() throws {
    var random = SeededRandom()
    for round in 0..<100 {
      let pool = RandomPool(&random, largeSegments: round % 25 == 0 ? 2 : 0)
      let place: Comment = "seed \(random.seed), round \(round)"
      let image = try written(pool)
      let findings = try findings(image, place)
      #expect(findings.isEmpty, "\(place): \(findings)")
      #expect(try image.contents == pool.contents, place)
    }
  }

  @Test func `a dump gives the pool back, with shared runs and without`() throws {
    var random = SeededRandom()
    var references = 0
    for round in 0..<60 {
      let pool = RandomPool(&random, largeSegments: round == 0 ? 2 : 0)
      let place: Comment = "seed \(random.seed), round \(round)"
      let contents = try pool.contents
      let image = try written(pool)
      for format in [TextFormat.xml, .xmlCompatible] {
        let scratch = try Scratch()
        let text = try dumped(image, as: format, scratch)
        let read = try ThinXMLReader.read(
          ByteSource(text), overriding: PoolOverrides(), into: PoolRecorder())
        #expect(read.contents == contents, "\(place), \(format)")
        if format == .xmlCompatible { #expect(read.referenceCount == 0, place) }
        references += read.referenceCount

        let again = try scratch.blank("again", bytes: image.bytes.count)
        _ = try ThinXMLReader.read(
          ByteSource(text), overriding: PoolOverrides(), into: Restorer(BlockFile(again, .write)))
        let second = try MetadataImage(file: again)
        #expect(try findings(second, place) == [], "\(place), \(format)")
        #expect(second.contents == contents, "\(place), \(format)")
      }
    }
    // Usually there are some 450.
    #expect(references > 0, "seed \(random.seed)")
  }

  @Test func `sharing survives a dump: no more blocks are needed than before`() throws {
    for name in ["snapshots-of-snapshots", "three-levels", "snapshots"] {
      let image = try MetadataImage(kernel: "thin/\(name)")
      let scratch = try Scratch()
      let text = try dumped(image, as: .xml, scratch)
      let path = try scratch.blank("again", bytes: Self.roomyBlocks * MetadataBlock.size)
      _ = try ThinXMLReader.read(
        ByteSource(text), overriding: PoolOverrides(), into: Restorer(BlockFile(path, .write)))
      let again = try MetadataImage(file: path)
      #expect(again.contents.devices == image.contents.devices, "\(name)")
      #expect(again.allocatedBlocks.count <= image.allocatedBlocks.count, "\(name)")
    }
  }

  /// A leaf of many short runs goes entry by entry into the output, any other run by run, as they
  /// all do when a dump is restored.
  @Test func `repair writes what its dump becomes when restored, byte for byte`() throws {
    var random = SeededRandom()
    for round in 0..<60 {
      let pool = RandomPool(&random, largeSegments: round == 0 ? 2 : 0)
      let image = try written(pool)
      let scratch = try Scratch()
      let text = try scratch.file("repaired.xml")
      let salvage = try Salvage(image.open(scratch, .read, .salvage), overriding: PoolOverrides())
      let sink = try ByteSink(to: text)
      try salvage.dump(Dump(), to: sink)
      try sink.commit()
      let restored = try scratch.blank("restored", bytes: image.bytes.count)
      _ = try ThinXMLReader.read(
        ByteSource(text), overriding: PoolOverrides(),
        into: Restorer(BlockFile(restored, .write)))
      let repaired = try repair(image, scratch)
      #expect(
        try repaired.bytes == MetadataImage(file: restored).bytes,
        "seed \(random.seed), round \(round)")
    }
  }

  @Test func `repair leaves out impossible mappings, in leaves of short runs and of long ones`()
    throws
  {
    var random = SeededRandom()
    var damagedLeaves = 0
    for round in 0..<60 {
      let pool = RandomPool(&random)
      var image = try written(pool)
      let leaves = image.devices.flatMap { image.leaves(below: $0.root) }
        .filter { !$0.keys.isEmpty }
      guard let leaf = leaves.randomElement(using: &random) else { continue }
      damagedLeaves += 1
      let entry = random.number(0..<leaf.keys.count)
      let impossible = Mapping(dataBlock: pool.header.dataBlockCount, time: 0).value
      image.set(leaf.block, as: .btreeNode, leaf.value(entry), to: impossible)
      let expected = image.mappings.mapValues { device in
        device.filter { $0.value.dataBlock < pool.header.dataBlockCount }
      }
      let repaired = try repair(image, Scratch())
      #expect(repaired.mappings == expected, "seed \(random.seed), round \(round)")
    }
    #expect(damagedLeaves > 20, "seed \(random.seed)")
  }

  /// Once blocks are only counted, it is not known what shared leaves hold that have to be divided
  /// or joined, so that the count may be a few blocks too high.
  @Test func `an output too small is told a size that is enough, and not much more`() throws {
    var random = SeededRandom()
    for round in 0..<60 {
      let pool = RandomPool(&random, largeSegments: round % 30 == 0 ? 1 : 0)
      // The index of the metadata space map is the last block that is written.
      let needed = Int(try written(pool).superblock.metadataSpaceMap.bitmapRoot) + 1
      let scratch = try Scratch()
      let few = [1, 2, 3, needed / 2, needed - 5].filter { $0 > 0 && $0 < needed }
      for missing in few {
        let place: Comment = "seed \(random.seed), round \(round), \(missing) of \(needed) missing"
        let path = try scratch.blank("small", bytes: (needed - missing) * MetadataBlock.size)
        let error = #expect(throws: WriteError.self, place) {
          try restore(pool, to: path)
        }
        guard case .outputTooSmall(let told, let available)? = error else {
          Issue.record("\(String(describing: error)), \(place)")
          continue
        }
        #expect(told >= UInt64(needed), "told \(told), \(place)")
        #expect(told <= NewSize.sufficient(for: UInt64(needed)), "told \(told), \(place)")
        #expect(available == UInt64(needed - missing), place)
        let left = try MetadataImage(file: path)
        #expect(left.withBlock(0) { UnfinishedNotice.stands(in: $0) }, place)
      }
      let path = try scratch.blank("enough", bytes: needed * MetadataBlock.size)
      try restore(pool, to: path)
      let image = try MetadataImage(file: path)
      #expect(try image.contents == pool.contents, "seed \(random.seed), round \(round)")
    }
  }

  @Test func `a pool is counted without an output, and never estimated too large`() throws {
    var random = SeededRandom()
    var exact = 0
    for round in 0..<60 {
      let pool = RandomPool(&random, largeSegments: round % 30 == 0 ? 1 : 0)
      let image = try written(pool)
      let place: Comment = "seed \(random.seed), round \(round)"
      let needed = image.superblock.metadataSpaceMap.bitmapRoot + 1
      var counting = Restorer(counting: UInt64(image.blockCount))
      try pool.play(into: &counting)
      #expect(counting.neededBlocks >= needed, place)
      #expect(counting.neededBlocks <= NewSize.sufficient(for: needed), place)
      if counting.neededBlocks == needed { exact += 1 }
      var estimate = SizeEstimate()
      try pool.play(into: &estimate)
      #expect(estimate.neededBlocks(on: UInt64(image.blockCount)) <= needed, place)
    }
    // Usually there are some 20.
    #expect(exact > 0, "seed \(random.seed)")
  }

  @Test func `devices without a mapping need a block each, in the estimate too`() throws {
    var pool = PoolHeader(time: 0, transactionID: 1, dataBlockSectors: 128, dataBlockCount: 100)
    pool.uuid = ""
    func play<Events: ThinEvents>(into events: inout Events) throws
    where Events.Failure == WriteError {
      try events.begin(pool)
      for id in 0..<500 as Range<UInt64> {
        let details = DeviceDetails(
          mappedBlocks: 0, transactionID: 0, creationTime: 0, snapshottedTime: 0)
        try events.beginDevice(DeviceHeader(id: id, details: details))
        try events.endDevice()
      }
      try events.end()
    }
    var counting = Restorer(counting: 1000)
    try play(into: &counting)
    var estimate = SizeEstimate()
    try play(into: &estimate)
    #expect(counting.neededBlocks > 500)
    #expect(estimate.neededBlocks(on: 1000) == counting.neededBlocks)
  }

  private func repair(_ image: MetadataImage, _ scratch: Scratch) throws -> MetadataImage {
    let path = try scratch.blank("repaired", bytes: image.bytes.count)
    let salvage = try Salvage(image.open(scratch, .read, .salvage), overriding: PoolOverrides())
    try salvage.restore(to: BlockFile(path, .write))
    return try MetadataImage(file: path)
  }

  private func restore(_ pool: RandomPool, to path: String) throws {
    var restorer = try Restorer(BlockFile(path, .write))
    try pool.play(into: &restorer)
  }

  private func written(_ pool: RandomPool) throws -> MetadataImage {
    let scratch = try Scratch()
    let path = try scratch.file("pool")
    try scratch.cut("pool", blocks: pool.isLarge ? Self.roomyBlocks : Self.roomyBlocks / 10)
    try restore(pool, to: path)
    return try MetadataImage(file: path)
  }

  private func dumped(
    _ image: MetadataImage, as format: TextFormat, _ scratch: Scratch
  ) throws -> String {
    var dump = Dump()
    dump.format = format
    let path = try scratch.file("dump.xml")
    let reader = try PoolReader.open(image.open(scratch), choosing: RootChoice())
    let sink = try ByteSink(to: path)
    try dump.write(reader, to: sink)
    try sink.commit()
    return path
  }
}
