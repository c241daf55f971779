import PersistentData
import TestSupport
import Testing

/// Arrays written and read back, against the values they came from.
@Suite struct ArrayTests {
  /// Round where blocks, and leaves of the index, begin to differ.
  static let sizes = [0, 1, 508, 509, 510, 1018, 1019, 4000, 509 * 252, 509 * 253 + 7]

  private struct Collector<Value>: ArrayVisitor
  where Value: FixedWidthInteger & BitwiseCopyable & Sendable {
    var blocks: [(place: Int, values: [Value])] = []

    mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
      blocks.append((place, (0..<wanted).map { block.value($0) }))
    }
  }

  private func read<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _ array: inout StoredArray, as: Value.Type
  ) -> [Value] {
    var findings = Findings()
    let visitors = array.readBlocks(findings: &findings) { Collector<Value>() }
    #expect(findings.isEmpty, "\(findings.sorted)")
    return visitors.flatMap(\.blocks).sorted { $0.place < $1.place }.flatMap(\.values)
  }

  private func stored(
    _ file: BlockFile, _ shape: ArrayShape, _ root: MetadataBlock, count: Int
  ) -> StoredArray {
    var usage = BlockUsage(blockCount: file.blockCount)
    var findings = Findings()
    let place = StoredArrays.Root(UInt64(root.number), entryCount: UInt64(count))
    let array = StoredArrays(
      shape, roots: [place], in: file, usage: &usage, findings: &findings
    ).array(place)
    #expect(findings.isEmpty, "\(findings.sorted)")
    return array
  }

  @Test(arguments: sizes) func `an array gives back what was put in`(size: Int) throws {
    var random = SeededRandom()
    let values = (0..<size).map { _ in random.next() }
    let scratch = try Scratch()
    let file = try BlockFile(scratch.blank("out", bytes: 1000 * MetadataBlock.size), .write)
    let writer = try BlockWriter(file)
    var longs = ArrayWriter<UInt64>(writer)
    var shorts = ArrayWriter<UInt32>(writer)
    for value in values {
      try longs.push(value)
      try shorts.push(UInt32(truncatingIfNeeded: value))
    }
    let longRoot = try longs.finish()
    let shortRoot = try shorts.finish()
    try writer.finish(.thinSuperblock) { _ in }
    var long = stored(
      file, ArrayShape(StructureLabel("longs", order: 0), valueSize: 8), longRoot, count: size)
    #expect(read(&long, as: UInt64.self) == values, "seed \(random.seed)")
    #expect(long.isWhole)
    #expect(long.lost == [])
    var short = stored(
      file, ArrayShape(StructureLabel("shorts", order: 0), valueSize: 4), shortRoot, count: size)
    let expected = values.map { UInt32(truncatingIfNeeded: $0) }
    #expect(read(&short, as: UInt32.self) == expected, "seed \(random.seed)")
  }

  @Test(arguments: [0, 1, 63, 64, 65, 32_575, 32_576, 32_577, 100_000])
  func `a bitset gives back what was put in`(size: Int) throws {
    var random = SeededRandom()
    var model = Set<UInt64>()
    var bit: UInt64 = 0
    while bit < size {
      let end = min(UInt64(size), bit + random.number(0...200))
      if random.once(in: 2) { model.formUnion(bit..<end) }
      bit = end + 1
    }
    let scratch = try Scratch()
    let file = try BlockFile(scratch.blank("out", bytes: 100 * MetadataBlock.size), .write)
    let writer = try BlockWriter(file)
    var bits = BitsetWriter(writer, bitCount: UInt64(size))
    for bit in model.sorted() { try bits.set(bit) }
    let root = try bits.finish()
    try writer.finish(.thinSuperblock) { _ in }
    var array = stored(file, .bitset(StructureLabel("bits", order: 0)), root, count: size)
    var findings = Findings()
    let read = Bitset(&array, findings: &findings)
    #expect(findings.isEmpty, "\(findings.sorted)")
    #expect(read.count == model.count)
    var ranges: [Range<UInt64>] = []
    read.forEachRange { ranges.append($0) }
    #expect(Set(ranges.joined()) == model, "seed \(random.seed)")
    // As few ranges as can be.
    #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
    for bit in [0, 1, UInt64(size) / 2, UInt64(size), .max] {
      #expect(read[bit] == model.contains(bit), "seed \(random.seed)")
    }
  }

  @Test func `a damaged block costs its own values, and they are named`() throws {
    let scratch = try Scratch()
    let file = try BlockFile(scratch.blank("out", bytes: 100 * MetadataBlock.size), .write)
    let writer = try BlockWriter(file)
    var words = ArrayWriter<UInt64>(writer)
    for value in 0..<2000 as Range<UInt64> { try words.push(value) }
    let root = try words.finish()
    try writer.finish(.thinSuperblock) { _ in }
    var array = stored(
      file, ArrayShape(StructureLabel("words", order: 0), valueSize: 8), root, count: 2000)
    let second = try #require(array.blocks[1])
    try BlockBuffer(zeroedBlocks: 1).write(file, to: UInt64(second.number), count: 1)
    var findings = Findings()
    let visitors = array.readBlocks(findings: &findings) { Collector<UInt64>() }
    #expect(findings.sorted.map(\.rule) == [.blockBadChecksum])
    #expect(visitors.flatMap(\.blocks).flatMap(\.values).count == 2000 - 509)
    #expect(array.lost == [509...1017])
    #expect(!array.isWhole)
  }
}
