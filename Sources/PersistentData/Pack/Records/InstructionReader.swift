/// Reads instructions, never past their end.
struct InstructionReader: ~Escapable {
  /// The offset of the next byte.
  private(set) var place: Int

  private let code: RawSpan
  private let end: Int
  /// The block that they make.
  private let block: UInt64

  /// Instructions for `block` in `code`, from `place` on and at most `limit` bytes of them.
  @_lifetime(copy code)
  init(_ code: RawSpan, at place: Int, limit: Int, block: UInt64) {
    self.code = code
    self.place = place
    self.block = block
    end = min(code.byteCount, place + limit)
  }

  var badInstruction: PackFault { .badInstruction(block: block) }
  var badLength: PackFault { .badLength(block: block) }

  /// The next instruction, and the lower half of its first byte.
  @_lifetime(self: copy self)
  mutating func next() throws(PackFault) -> (PackInstruction, Int) {
    let first = try byte()
    guard let instruction = PackInstruction(rawValue: UInt8(first >> 4)) else {
      throw badInstruction
    }
    return (instruction, first & 15)
  }

  @_lifetime(self: copy self)
  mutating func byte() throws(PackFault) -> Int {
    guard place < end else { throw badLength }
    let value = code[Field<UInt8>(at: place)]
    place += 1
    return Int(value)
  }

  /// A number of `width` bytes.
  @_lifetime(self: copy self)
  mutating func number(_ width: Int) throws(PackFault) -> UInt64 {
    guard width <= end - place else { throw badLength }
    let value: UInt64
    switch width {
    case 1: value = UInt64(code[Field<UInt8>(at: place)])
    case 2: value = UInt64(code[Field<UInt16>(at: place)])
    case 4: value = UInt64(code[Field<UInt32>(at: place)])
    case 8: value = code[Field<UInt64>(at: place)]
    default: throw badInstruction
    }
    place += width
    return value
  }

  /// Copies the next `size` bytes to `target` from `offset` on, where there is room for `room`
  /// bytes. Returns how many were copied.
  @_lifetime(self: copy self)
  mutating func literal(
    _ size: UInt64, into target: inout MutableRawSpan, at offset: Int, room: Int
  ) throws(PackFault) -> Int {
    guard size <= UInt64(min(room, end - place)) else { throw badLength }
    target.copy(code, from: place, count: Int(size), to: offset)
    place += Int(size)
    return Int(size)
  }
}
