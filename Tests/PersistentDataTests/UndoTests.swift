import Foundation
import PersistentData
import TestSupport
import Testing

/// Undo files by themselves: any job that edits blocks, each once.
@Suite struct UndoTests {
  private static let count = 600

  private let numbered: NumberedFile
  private let before: Data
  private let path: String

  init() throws {
    numbered = try NumberedFile(blocks: UndoTests.count, .write)
    before = try Data(contentsOf: URL(fileURLWithPath: numbered.file.path))
    path = numbered.scratch.folder.appendingPathComponent("undo").path
  }

  private var now: Data { get throws { try Data(contentsOf: URL(fileURLWithPath: file.path)) } }
  private var file: BlockFile { numbered.file }

  /// Changes every other block, so many that an undo file needs several groups, and block 0 last.
  private static func job(_ editor: inout some BlockEditor) throws(IOError) {
    for block in stride(from: UInt32(1), to: UInt32(count), by: 2) {
      try editor.edit(MetadataBlock(block), sealedAs: .bitmap) { $0[NumberedFile.number] = 1_007 }
    }
    try editor.flush()
    try editor.edit(.superblock, sealedAs: .thinSuperblock) { $0[NumberedFile.number] = 1_008 }
    try editor.flush()
  }

  private func record() throws {
    try UndoRecorder.record(file, at: path) { (editor) throws(IOError) in
      try UndoTests.job(&editor)
    }
  }

  private func change() throws {
    var editor = DeviceEditor(file)
    try UndoTests.job(&editor)
  }

  private func undo() throws {
    try Undo(reading: path, for: file).apply()
  }

  @Test func `recording changes nothing, and undoing brings back every byte`() throws {
    try record()
    #expect(try now == before)
    #expect(try Undo(reading: path, for: file).changedCount == 0)
    try change()
    #expect(try now != before)
    #expect(try Undo(reading: path, for: file).changedCount == UndoTests.count / 2 + 1)
    try undo()
    #expect(try now == before)
  }

  @Test func `a power cut that leaves some sectors old and some new can be undone`() throws {
    try record()
    try change()
    let after = try now
    var random = SeededRandom()
    for _ in 0..<20 {
      var torn = after
      for sector in stride(from: 0, to: before.count, by: 512) where random.once(in: 3) {
        torn.replaceSubrange(sector..<sector + 512, with: before[sector..<sector + 512])
      }
      try torn.write(to: URL(fileURLWithPath: file.path))
      let file = try BlockFile(file.path, .write)
      try Undo(reading: path, for: file).apply()
      #expect(try now == before, "SEED=\(random.seed)")
    }
  }

  @Test func `one byte that is neither old nor new is not undone`() throws {
    try record()
    try change()
    let after = try now
    var random = SeededRandom()
    for _ in 0..<20 {
      // Blocks with odd numbers were changed, and block 0.
      let block = random.once(in: 4) ? 0 : random.number(0..<UndoTests.count / 2) * 2 + 1
      var spoilt = after
      spoilt[block * MetadataBlock.size + random.number(0..<MetadataBlock.size)] ^= 0x10
      try spoilt.write(to: URL(fileURLWithPath: file.path))
      let file = try BlockFile(file.path, .write)
      #expect(throws: UndoError.changedSince(block: UInt64(block)), "SEED=\(random.seed)") {
        try Undo(reading: path, for: file)
      }
      #expect(try now == spoilt)
    }
  }

  @Test func `a change or an undo that was cut short can be undone`() throws {
    try record()
    try change()
    let changed = try now
    var random = SeededRandom()
    for _ in 0..<20 {
      // Each block as it was before or as it was left, whatever was written last.
      var mixed = before
      for block in 0..<UndoTests.count where random.once(in: 2) {
        let range = block * MetadataBlock.size..<(block + 1) * MetadataBlock.size
        mixed.replaceSubrange(range, with: changed[range])
      }
      try mixed.write(to: URL(fileURLWithPath: file.path))
      let reopened = try BlockFile(file.path, .write)
      try Undo(reading: path, for: reopened).apply()
      #expect(try now == before, "seed \(random.seed)")
    }
  }

  @Test func `a job that fails leaves no undo file behind`() throws {
    #expect(throws: IOError.self) {
      try UndoRecorder.record(file, at: path) { (editor) throws(IOError) in
        try UndoTests.job(&editor)
        throw .notFound(path: "")
      }
    }
    #expect(!ByteSink.exists(path))
    #expect(try now == before)
  }

  @Test func `an existing file is never overwritten`() throws {
    _ = try numbered.scratch.file("undo", Data("precious".utf8))
    #expect(throws: IOError.cannotOpen(path: path, errno: EEXIST)) { try record() }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("precious".utf8))
  }

  @Test func `an undo file that was cut off is refused, wherever the cut is`() throws {
    try record()
    try change()
    let changed = try now
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let blocks = whole.count / MetadataBlock.size
    for size in stride(from: 0, to: blocks, by: 7).map({ $0 * MetadataBlock.size })
      + [1, 4095, 4097, whole.count - 4096, whole.count - 1]
    {
      try whole.prefix(size).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: UndoError.self, "\(size) bytes") { try undo() }
      let isTold =
        switch error {
        case .notAnUndoFile: size < MetadataBlock.size
        case .undoFileDamaged: size >= MetadataBlock.size
        default: false
        }
      #expect(isTold, "\(size) bytes: \(String(describing: error))")
    }
    #expect(try now == changed)
  }

  @Test func `an undo file that was altered or goes on is refused`() throws {
    try record()
    try change()
    let changed = try now
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    var random = SeededRandom()
    for _ in 0..<100 {
      var altered = whole
      let place = random.number(0..<altered.count)
      altered[place] ^= 1 << random.number(UInt8(0)...7)
      try altered.write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: UndoError.self, "seed \(random.seed)") { try undo() }
      if place >= 16 {
        let isTold = if case .undoFileDamaged = error { true } else { false }
        #expect(isTold, "byte \(place): \(String(describing: error))")
      }
    }
    try (whole + Data(count: MetadataBlock.size)).write(to: URL(fileURLWithPath: path))
    let end = UInt64(whole.count / MetadataBlock.size)
    #expect(throws: UndoError.undoFileDamaged(block: end)) { try undo() }
    #expect(try now == changed)
  }

  @Test func `a device that was changed since is left alone`() throws {
    try record()
    try change()
    for block in [UInt32(0), 1, 341, 599] {
      let kept = try now
      try file.editBlock(MetadataBlock(block), sealedAs: .btreeNode) {
        $0[NumberedFile.number] = 99
      }
      let other = try now
      #expect(throws: UndoError.changedSince(block: UInt64(block))) { try undo() }
      #expect(try now == other)
      try kept.write(to: URL(fileURLWithPath: file.path))
    }
    // What the job did not touch may change: it stays as it is.
    try file.editBlock(MetadataBlock(2), sealedAs: .btreeNode) { $0[NumberedFile.number] = 99 }
    try undo()
    #expect(differingBlocks(try now, before) == [2])
  }

  @Test func `a device of another size is another device`() throws {
    try record()
    try change()
    for blocks in [UndoTests.count - 1, UndoTests.count + 1] {
      let other = try NumberedFile(blocks: blocks, .write)
      #expect(throws: UndoError.otherDevice(blockCount: UInt64(UndoTests.count))) {
        try Undo(reading: path, for: other.file)
      }
    }
  }

  @Test func `what is no undo file is not taken for one`() throws {
    let other = try NumberedFile(blocks: 3)
    #expect(throws: UndoError.notAnUndoFile) { try Undo(reading: other.file.path, for: file) }
    let missing = numbered.scratch.folder.path + "/missing"
    #expect(throws: UndoError.undoFile(.notFound(path: missing))) {
      try Undo(reading: missing, for: file)
    }
  }

  @Test func `an undo file of a later version is refused`() throws {
    try record()
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[16] = 3
    // The header's own checksum, FNV-1a, put right.
    let sum = bytes.prefix(4088).reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
    }
    for index in 0..<8 { bytes[4088 + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    #expect(throws: UndoError.unknownVersion(3)) { try undo() }
  }
}

/// Blocks of 4 KiB that differ between two images of one size.
private func differingBlocks(_ one: Data, _ other: Data) -> [Int] {
  stride(from: 0, to: one.count, by: 4096).filter {
    one[$0..<min($0 + 4096, one.count)] != other[$0..<min($0 + 4096, other.count)]
  }.map { $0 / 4096 }
}
