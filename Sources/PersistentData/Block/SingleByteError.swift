/// Finds the one byte that is wrong in a block, by what it did to the checksum.
///
/// A CRC is linear, and each step of it can be undone: going back from the change in the checksum,
/// the change is a single byte where the wrong byte is. About one unrelated block in 4,000 looks as
/// if a single byte were wrong, so a block corrected this way has to be plausible in every other
/// way.
package enum SingleByteError {
  /// A byte of the block, and what it has to be XORed with.
  package struct Place: Hashable, Sendable {
    package let offset: Int
    package let change: UInt8

    package init(offset: Int, change: UInt8) {
      self.offset = offset
      self.change = change
    }
  }

  /// The CRC-32C polynomial, bit-reversed as in the kernel's crc32c().
  private static let polynomial: UInt32 = 0x82F6_3B78

  /// All bytes that, corrected alone, would make the checksum of this `kind` fit.
  package static func locate(in block: RawSpan, as kind: BlockKind) -> [Place] {
    var change = BlockKind.sum(of: block) ^ block[BlockKind.checksum] ^ kind.rawValue
    if change == 0 { return [] }
    var places: [Place] = []
    let checksumSize = MemoryLayout<UInt32>.size
    for offset in 0..<checksumSize {
      let byte = change >> UInt32(8 * offset)
      if byte <= UInt8.max, byte << UInt32(8 * offset) == change {
        places.append(Place(offset: offset, change: UInt8(byte)))
      }
    }
    for offset in (checksumSize..<block.byteCount).reversed() {
      change = undo(change)
      if change <= UInt8.max { places.append(Place(offset: offset, change: UInt8(change))) }
    }
    return places
  }

  /// Copies the block with the byte corrected.
  package static func corrected(_ block: RawSpan, _ place: Place) -> BlockBuffer {
    let copy = BlockBuffer(blocks: 1)
    copy.edit(0) { bytes in
      for offset in stride(from: 0, to: MetadataBlock.size, by: 8) {
        bytes[Field<UInt64>(at: offset)] = block[Field<UInt64>(at: offset)]
      }
      bytes[Field<UInt8>(at: place.offset)] ^= place.change
    }
    return copy
  }

  /// The sum before a byte of zeroes was appended to it.
  private static func undo(_ sum: UInt32) -> UInt32 {
    let index = indices[Int(sum >> 24)]
    return (sum ^ sums[Int(index)]) << 8 | UInt32(index)
  }

  /// The sum after appending each byte to 0.
  private static let sums: [UInt32] = (0..<256).map { (byte: UInt32) in
    (0..<8).reduce(byte) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ polynomial }
  }

  /// For the upper byte of each of `sums`, the byte that gave it; no two are the same.
  private static let indices: [UInt8] = {
    var indices = [UInt8](repeating: 0, count: 256)
    for (byte, sum) in sums.enumerated() { indices[Int(sum >> 24)] = UInt8(byte) }
    return indices
  }()
}
