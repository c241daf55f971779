internal import CSystem

/// Finds the one bit that was flipped in a block, by what it did to the checksum.
///
/// A CRC is linear: each bit, flipped alone, changes the checksum in its own way, whatever the rest
/// of the block holds. So the change identifies the bit. About one unrelated block in 130,000 looks
/// like one flipped bit, so a block corrected this way still has to pass every other check.
package enum SingleBitError {
  /// Bits before the first that the checksum covers.
  private static let checksumBits = 32

  /// The bit, counted from the start of the block, whose flip would make the checksum of this
  /// `kind` fit; `nil` when no single bit does.
  package static func locate(in block: RawSpan, as kind: BlockKind) -> Int? {
    let change = BlockKind.sum(of: block) ^ block[BlockKind.checksum] ^ kind.rawValue
    // A flipped bit of the checksum itself shows as just that bit.
    if change.nonzeroBitCount == 1 { return change.trailingZeroBitCount }
    return bitByChange[change]
  }

  /// Copies the block with the bit turned back; `nil` when no single bit explains the damage.
  package static func corrected(_ block: RawSpan, as kind: BlockKind) -> BlockBuffer? {
    guard block.byteCount == MetadataBlock.size, let bit = locate(in: block, as: kind)
    else { return nil }
    let copy = BlockBuffer(blocks: 1)
    copy.edit(0) { bytes in
      for offset in stride(from: 0, to: MetadataBlock.size, by: 8) {
        bytes[Field<UInt64>(at: offset)] = block[Field<UInt64>(at: offset)]
      }
      bytes[Field<UInt8>(at: bit / 8)] ^= 1 << UInt8(bit % 8)
    }
    return copy
  }

  /// By what it does to the checksum: each bit that the checksum covers. Made when first needed.
  private static let bitByChange: [UInt32: Int] = {
    var bits: [UInt32: Int] = [:]
    bits.reserveCapacity(8 * MetadataBlock.size)
    // From the last byte to the first: with each step back, one more byte follows.
    var changes = (0..<8).map { bit in append(1 << UInt8(bit), to: 0) }
    for byte in stride(from: MetadataBlock.size - 1, through: checksumBits / 8, by: -1) {
      for bit in 0..<8 {
        bits[changes[bit]] = 8 * byte + bit
        changes[bit] = append(0, to: changes[bit])
      }
    }
    return bits
  }()

  private static func append(_ byte: UInt8, to sum: UInt32) -> UInt32 {
    unsafe withUnsafeBytes(of: byte) { unsafe dmm_crc32c(sum, $0.baseAddress, 1) }
  }
}
