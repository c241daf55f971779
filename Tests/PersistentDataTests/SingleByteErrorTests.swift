import PersistentData
import TestSupport
import Testing

@Suite struct SingleByteErrorTests {
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

  @Test(arguments: BlockKind.allCases)
  func `every wrong byte is among those that explain the checksum`(kind: BlockKind) {
    var random = SeededRandom()
    let block = block(kind, &random)
    for offset in Array(0..<16) + (0..<500).map({ _ in random.number(0..<4096) }) {
      let change: UInt8 = random.number(1...255)
      block.edit(0) { $0[Field<UInt8>(at: offset)] ^= change }
      let places = SingleByteError.locate(in: block[0], as: kind)
      #expect(
        places.contains(SingleByteError.Place(offset: offset, change: change)),
        "seed \(random.seed)")
      #expect(places.count <= 2)
      // Each of them does explain it.
      for place in places {
        #expect(BlockKind(of: SingleByteError.corrected(block[0], place)[0]) == kind)
      }
      block.edit(0) { $0[Field<UInt8>(at: offset)] ^= change }
    }
    #expect(SingleByteError.locate(in: block[0], as: kind) == [])
  }
}
