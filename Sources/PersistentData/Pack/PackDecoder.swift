/// Makes blocks from instructions.
struct PackDecoder {
  /// The most bytes of instructions for one block. Packers need less than half of it; the limit
  /// keeps a bad file from making us read for ever.
  static let longestBlock = 1 << 14

  /// The parts of split numbers: all upper, then all lower ones.
  private var parts = [UInt8](repeating: 0, count: 2 * MetadataBlock.size)
  /// The register.
  private var base: UInt64 = 0
  /// Bytes made so far, of the block or of the parts.
  private var made = 0

  /// Makes block `number`, 4096 bytes, from the instructions in `code` from `offset` on; returns
  /// where they end.
  mutating func decode(
    _ number: UInt64, _ code: RawSpan, at offset: Int, into block: inout MutableRawSpan
  ) throws(PackFault) -> Int {
    var reader = InstructionReader(
      code, at: offset, limit: PackDecoder.longestBlock, block: number)
    base = 0
    made = 0
    while made < MetadataBlock.size {
      let (instruction, low) = try reader.next()
      if instruction == .split {
        try split(low << 8 | reader.byte(), &reader, into: &block)
      } else {
        try execute(instruction, low, &reader, into: &block, end: MetadataBlock.size)
      }
    }
    return reader.place
  }

  /// Makes upper and lower parts, and puts them together.
  private mutating func split(
    _ count: Int, _ reader: inout InstructionReader, into block: inout MutableRawSpan
  ) throws(PackFault) {
    let start = made
    let size = 8 * count
    guard count > 0, size <= MetadataBlock.size - start else { throw reader.badLength }
    // Moved out of `self` while they are written to.
    var parts: [UInt8] = []
    swap(&parts, &self.parts)
    defer { swap(&parts, &self.parts) }
    made = 0
    try parts.edit { (bytes) throws(PackFault) in
      for end in [size, 2 * size] {
        while made < end {
          let (instruction, low) = try reader.next()
          try execute(instruction, low, &reader, into: &bytes, end: end)
        }
      }
    }
    let bytes = parts.rawBytes
    for offset in stride(from: 0, to: size, by: 8) {
      let upper = bytes[Field<UInt64>(at: offset)] << PackInstruction.lowerBits
      let lower = bytes[Field<UInt64>(at: size + offset)] & PackInstruction.lowerMask
      block[Field<UInt64>(at: start + offset)] = upper | lower
    }
    made = start + size
  }

  /// Executes an instruction that isn't a split, and the one it repeats if it is a count.
  private mutating func execute(
    _ first: PackInstruction, _ firstLow: Int, _ reader: inout InstructionReader,
    into target: inout MutableRawSpan, end: Int
  ) throws(PackFault) {
    var (instruction, low, count) = (first, firstLow, 1)
    if instruction == .count || instruction == .countWide {
      count = instruction == .count ? low : try low << 8 | reader.byte()
      (instruction, low) = try reader.next()
      guard instruction.isCounted else { throw reader.badInstruction }
    }
    var step: UInt64 = 0
    switch instruction {
    case .set: base = try reader.number(low)
    case .add: step = UInt64(low)
    case .addWide: step = try reader.number(low)
    case .subtract: step = 0 &- UInt64(low)
    case .subtractWide: step = try 0 &- reader.number(low)
    case .repeated: count = low
    case .repeatedWide: count = try low << 8 | reader.byte()
    case .literal, .literalWide:
      let size = instruction == .literal ? UInt64(low) : try reader.number(low)
      made += try reader.literal(size, into: &target, at: made, room: end - made)
      return
    case .count, .countWide, .split: throw reader.badInstruction
    }
    guard count <= (end - made) / 8 else { throw reader.badLength }
    target.store(from: base &+ step, step: step, count: count, at: made)
    base &+= step &* UInt64(count)
    made += 8 * count
  }
}

extension PackInstruction {
  /// Whether a count may precede it.
  fileprivate var isCounted: Bool { rawValue <= PackInstruction.subtractWide.rawValue }
}
