import PersistentData

/// How a block can be lost.
package enum BlockDamage: CaseIterable, Sendable {
  case zeroes, garbage, flippedBit

  /// Writes over a block of a file.
  package func strike(
    _ block: MetadataBlock, of file: BlockFile, _ random: inout SeededRandom
  ) throws {
    let buffer = BlockBuffer(zeroedBlocks: 1)
    if self == .flippedBit { try buffer.read(file, from: UInt64(block.number), count: 1) }
    let bit = random.number(0..<8 * MetadataBlock.size)
    buffer.edit(0) { bytes in
      switch self {
      case .zeroes: break
      case .garbage:
        for offset in stride(from: 0, to: MetadataBlock.size, by: 8) {
          bytes[Field<UInt64>(at: offset)] = random.next()
        }
      case .flippedBit: bytes[Field<UInt8>(at: bit / 8)] ^= 1 << UInt8(bit % 8)
      }
    }
    try buffer.write(file, to: UInt64(block.number), count: 1)
  }
}

extension StoredSpaceMap {
  /// The blocks in use but for the superblock, ascending.
  package var blocksInUse: [MetadataBlock] {
    readCounts().enumerated().dropFirst().compactMap { block, count in
      count ?? 0 > 0 ? MetadataBlock(UInt32(block)) : nil
    }
  }
}
