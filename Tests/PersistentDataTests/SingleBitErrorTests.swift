import PersistentData
import TestSupport
import Testing

@Suite struct SingleBitErrorTests {
  /// A block full of anything, as the kind that it is sealed as.
  private func block(_ kind: BlockKind, _ random: inout SeededRandom) -> BlockBuffer {
    let buffer = BlockBuffer(blocks: 1)
    buffer.edit(0) { bytes in
      for offset in stride(from: 0, to: MetadataBlock.size, by: 8) {
        bytes[Field<UInt64>(at: offset)] = random.next()
      }
      kind.seal(&bytes)
    }
    return buffer
  }

  private func flip(_ bit: Int, of block: BlockBuffer) {
    block.edit(0) { $0[Field<UInt8>(at: bit / 8)] ^= 1 << UInt8(bit % 8) }
  }

  private func bytes(_ block: BlockBuffer) -> [UInt8] {
    let span = block[0]
    return (0..<span.byteCount).map { span[Field<UInt8>(at: $0)] }
  }

  @Test(arguments: BlockKind.allCases)
  func `every flipped bit is found and turned back`(kind: BlockKind) {
    var random = SeededRandom()
    let block = block(kind, &random)
    let sound = bytes(block)
    let edges = Array(0..<64) + Array(8 * MetadataBlock.size - 64..<8 * MetadataBlock.size)
    let sample = (0..<3000).map { _ in random.number(0..<8 * MetadataBlock.size) }
    for bit in edges + sample {
      flip(bit, of: block)
      #expect(BlockKind(of: block[0]) == nil)
      #expect(SingleBitError.locate(in: block[0], as: kind) == bit, "seed \(random.seed)")
      flip(bit, of: block)
    }
    for bit in edges + sample.prefix(20) {
      flip(bit, of: block)
      let corrected = SingleBitError.corrected(block[0], as: kind).map { bytes($0) }
      #expect(corrected == sound, "bit \(bit), seed \(random.seed)")
      flip(bit, of: block)
    }
  }

  /// Three bits are the least by which blocks with fitting checksums could differ, were the
  /// polynomial not better than that.
  @Test func `two flipped bits are never taken for one`() {
    var random = SeededRandom()
    let block = block(.btreeNode, &random)
    for _ in 0..<20_000 {
      let first = random.number(0..<8 * MetadataBlock.size)
      let second = random.number(0..<8 * MetadataBlock.size)
      if first == second { continue }
      flip(first, of: block)
      flip(second, of: block)
      #expect(
        SingleBitError.locate(in: block[0], as: .btreeNode) == nil,
        "bits \(first) and \(second), seed \(random.seed)")
      flip(first, of: block)
      flip(second, of: block)
    }
    #expect(BlockKind(of: block[0]) == .btreeNode)
  }

  @Test func `what was never sealed is not corrected`() {
    var random = SeededRandom()
    let zeroes = BlockBuffer(blocks: 1)
    #expect(SingleBitError.corrected(zeroes[0], as: .btreeNode) == nil)
    let bitmap = block(.bitmap, &random)
    #expect(SingleBitError.corrected(bitmap[0], as: .btreeNode) == nil)
  }
}
