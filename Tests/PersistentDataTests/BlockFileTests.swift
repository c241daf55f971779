import Foundation
import PersistentData
import TestSupport
import Testing

@Suite struct BlockFileTests {
  @Test func `what can't be metadata is refused by its name`() throws {
    let scratch = try Scratch()
    let folder = scratch.folder.path
    let small = try scratch.blank("small", bytes: 4095)
    let cases: [(String, IOError)] = [
      ("\(folder)/nothing", .notFound(path: "\(folder)/nothing")),
      ("\(small)/below", .notFound(path: "\(small)/below")),
      (folder, .notAFileOrDevice(path: folder)),
      ("/dev/null", .notAFileOrDevice(path: "/dev/null")),
      (small, .tooSmall(path: small, sizeBytes: 4095)),
    ]
    for (path, error) in cases {
      #expect(throws: error) { try BlockFile(path, .read) }
    }
  }

  @Test func `a tail shorter than a block does not count`() throws {
    let scratch = try Scratch()
    let path = try scratch.blank("file", bytes: 3 * MetadataBlock.size + 4095)
    #expect(try BlockFile(path, .read).blockCount == 3)
  }

  @Test func `the holes of a file are known, and no block that holds anything is in one`() throws {
    let scratch = try Scratch()
    let count: UInt64 = 1 << 22
    var random = SeededRandom()
    let stored = Set((0..<40).map { _ in UInt64.random(in: 0..<count, using: &random) })
    let path = try scratch.blank("file", bytes: 0)
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    for block in stored {
      // Not from its first byte on.
      try handle.seek(toOffset: block * 4096 + 4000)
      try handle.write(contentsOf: Data([1]))
    }
    try handle.truncate(atOffset: count * 4096)
    try handle.close()
    let file = try BlockFile(path, .read)
    let pieces = file.storedBlocks(in: 0..<count)
    #expect(
      stored.allSatisfy { block in pieces.contains { $0.contains(block) } },
      "SEED=\(random.seed)")
    #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
    // File systems store a little more than was written.
    #expect(pieces.reduce(0) { $0 + $1.count } < 10_000)
    let middle = file.storedBlocks(in: 1000..<count / 2)
    #expect(middle.allSatisfy { 1000 <= $0.lowerBound && $0.upperBound <= count / 2 })
    #expect(
      stored.filter { (1000..<count / 2).contains($0) }.allSatisfy { block in
        middle.contains { $0.contains(block) }
      })
  }

  @Test func `two names of one file are the same, a copy is not`() throws {
    let scratch = try Scratch()
    let path = try scratch.blank("file", bytes: MetadataBlock.size)
    let copy = try scratch.blank("copy", bytes: MetadataBlock.size)
    let link = scratch.folder.appendingPathComponent("link").path
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    let file = try BlockFile(path, .read)
    #expect(file.isSame(as: path) && file.isSame(as: link))
    #expect(!file.isSame(as: copy) && !file.isSame(as: path + "2"))
  }

  @Test func `a file cut while it is read ends before the block that is gone`() throws {
    let blocks = try NumberedFile(blocks: 8)
    try blocks.cut(bytes: 5 * MetadataBlock.size + 100)
    let path = blocks.file.path
    #expect(try blocks.file.withBlock(MetadataBlock(4)) { $0[NumberedFile.number] } == 4)
    for block in 5...7 as ClosedRange<UInt32> {
      #expect(throws: IOError.ended(path: path, block: UInt64(block))) {
        try blocks.file.withBlock(MetadataBlock(block)) { _ in }
      }
    }
  }

  @Test func `a write that fails says which block`() throws {
    // Opened for reading, the descriptor refuses.
    let blocks = try NumberedFile(blocks: 8)
    let buffer = BlockBuffer(blocks: 2)
    let error = #expect(throws: IOError.self) { try buffer.write(blocks.file, to: 3, count: 2) }
    guard case .writeFailed(_, 3, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(throws: IOError.self) { try BlockWriter(blocks.file) }
    #expect(throws: IOError.self) {
      try blocks.file.editBlock(MetadataBlock(2), sealedAs: .bitmap) { _ in }
    }
    #expect(try blocks.file.withBlock(.superblock) { BlockKind(of: $0) } == .bitmap)
  }

  @Test func `text for a device that is full is not lost silently`() throws {
    let sink = try ByteSink(to: "/dev/full")
    #expect(throws: ByteSink.Failure.self) { try sink.write("text") }
  }
}

@Suite struct BlockScanTests {
  @Test func `every block of a list is visited once, whatever the gaps`() throws {
    let blocks = try NumberedFile(blocks: 4096)
    var random = SeededRandom()
    for round in 0..<60 {
      // One in so many blocks: next to each other, or with gaps small and wide.
      let rarities: [UInt64] = [1, 2, 7, 9, 50, 1000]
      let rarity = rarities.randomElement(using: &random) ?? 1
      let list = (0..<4096 as Range<UInt32>).filter { _ in random.once(in: rarity) }
      try expectVisited(list, of: blocks, "seed \(random.seed), round \(round)")
    }
    try expectVisited([], of: blocks, "none")
    try expectVisited([4095], of: blocks, "the last")
    try expectVisited([0, 8, 16, 25, 4095], of: blocks, "gaps of 7 and 8 blocks, and wider")
  }

  private func expectVisited(
    _ list: [UInt32], of blocks: NumberedFile, _ place: Comment
  ) throws {
    let visitors = BlockScan(blocks.file, list).run { NotingVisitor() }
    let visited = visitors.flatMap(\.visited).sorted { $0.index < $1.index }
    #expect(visited.map(\.index) == Array(list.indices), place)
    #expect(visited.map(\.number) == list.map(UInt64.init), place)
    #expect(visited.allSatisfy { $0.kind == .bitmap }, place)
    #expect(visitors.allSatisfy { $0.unreadable.isEmpty }, place)
  }

  @Test func `where reading fails, only the blocks that are gone are given up`() throws {
    for cut in [0, 1, 1000, 2047, 2048] {
      let blocks = try NumberedFile(blocks: 2048)
      try blocks.cut(bytes: cut * MetadataBlock.size + 17)
      let list = Array(0..<2048 as Range<UInt32>)
      let visitors = BlockScan(blocks.file, list).run { NotingVisitor() }
      let visited = visitors.flatMap(\.visited).sorted { $0.index < $1.index }
      let unreadable = visitors.flatMap(\.unreadable).sorted { $0.index < $1.index }
      #expect(visited.map(\.number) == (0..<UInt64(cut)).map(\.self))
      #expect(unreadable.map(\.index) == Array(cut..<2048))
      for (index, error) in unreadable {
        #expect(error == .ended(path: blocks.file.path, block: UInt64(index)))
      }
    }
  }
}

@Suite struct BlockWriterTests {
  @Test func `until it is finished, block 0 tells so and is no superblock`() throws {
    let scratch = try Scratch()
    let path = try scratch.blank("output", bytes: 600 * MetadataBlock.size)
    let file = try BlockFile(path, .write)
    let writer = try BlockWriter(file)
    func first<Result>(_ body: (RawSpan) -> Result) throws -> Result {
      try file.withBlock(.superblock, body)
    }
    func expectUnfinished() throws {
      #expect(try first { UnfinishedNotice.stands(in: $0) })
      #expect(try first { BlockKind(of: $0) } == nil)
      #expect(try InputKind(of: file) == .unfinished)
    }
    try expectUnfinished()
    for number in 1..<600 as Range<UInt64> {
      let block = try writer.append(.bitmap) { block, bytes in
        bytes[NumberedFile.number] = UInt64(block.number)
      }
      #expect(UInt64(block.number) == number)
    }
    try expectUnfinished()
    // What was appended can be read, written out or not.
    for number in [1, 256, 257, 599] as [UInt32] {
      let found = try writer.withBlock(MetadataBlock(number)) { $0[NumberedFile.number] }
      #expect(found == UInt64(number))
    }
    #expect(!writer.isTooSmall)
    try writer.finish(.thinSuperblock) { $0[NumberedFile.number] = 0 }
    #expect(try first { !UnfinishedNotice.stands(in: $0) })
    #expect(try InputKind(of: file) == .metadata(.thinSuperblock))
    let list = Array(1..<600 as Range<UInt32>)
    let visited = BlockScan(file, list).run { NotingVisitor() }.flatMap(\.visited)
    #expect(visited.allSatisfy { $0.number == UInt64($0.index + 1) && $0.kind == .bitmap })
    #expect(visited.count == 599)
  }

  @Test func `when the device is full, counting goes on and nothing more is written`() throws {
    let blocks = try NumberedFile(blocks: 10, .write)
    let writer = try BlockWriter(blocks.file)
    for _ in 0..<50 { _ = try writer.append(.bitmap) { $1[NumberedFile.number] = 77 } }
    #expect(writer.isTooSmall && writer.neededCount == 51)
    #expect(try blocks.file.withBlock(.superblock) { UnfinishedNotice.stands(in: $0) })
  }
}
