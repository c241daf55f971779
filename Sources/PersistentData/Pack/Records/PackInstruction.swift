/// What an instruction of a pack file does, given by the upper half of its first byte; `n` is the
/// lower half.
///
/// A block's bytes are written from its first to its last. There is one register of 64 bits, 0 when
/// a block begins; arithmetic wraps around. To emit is to write the register out, little-endian.
///
/// Source: thin-provisioning-tools 1.x, files that thin_metadata_pack wrote.
enum PackInstruction: UInt8 {
  /// The register becomes a number of n bytes (1, 2, 4 or 8); emit.
  case set = 0
  /// Add n; emit.
  case add = 1
  /// Add a number of n bytes; emit.
  case addWide = 2
  /// Subtract n; emit.
  case subtract = 3
  /// Subtract a number of n bytes; emit.
  case subtractWide = 4
  /// Emit n times.
  case repeated = 5
  /// The same with a count of 12 bits: n, then a byte.
  case repeatedWide = 6
  /// Do the next instruction, one of the first five, n times.
  case count = 7
  /// The same with a count of 12 bits.
  case countWide = 8
  /// Write the n bytes that follow.
  case literal = 9
  /// Write the bytes that follow, as many as a number of n bytes says.
  case literalWide = 10
  /// The numbers that follow, with a count of 12 bits, come in two runs: their upper parts, then
  /// their lower 24 bits.
  case split = 11

  /// Bits of the lower parts.
  static let lowerBits: UInt64 = 24
  static let lowerMask: UInt64 = (1 << lowerBits) - 1

}
