/// Writes instructions into memory that has room for them.
struct InstructionWriter: ~Copyable, ~Escapable {
  private var code: MutableRawSpan
  /// Where the next byte goes.
  private(set) var place: Int

  @_lifetime(copy code)
  init(_ code: consuming MutableRawSpan, at place: Int) {
    self.code = code
    self.place = place
  }

  /// Writes the number of a block, which comes before its instructions.
  @_lifetime(self: copy self)
  mutating func number(_ block: UInt64) {
    code[Field<UInt64>(at: place)] = block
    place += PackLayout.lengthSize
  }

  /// Drops what was written from `place` on.
  @_lifetime(self: copy self)
  mutating func goBack(to place: Int) { self.place = place }

  /// Writes the first number, then the steps from each to the next, equal steps together; `words`
  /// isn't empty.
  @_lifetime(self: copy self)
  mutating func numbers(_ words: PackedWords) {
    var base = words[0]
    wide(.set, base)
    var index = 1
    while index < words.count {
      let next = words[index]
      let step = next &- base
      var end = index + 1
      base = next
      while end < words.count {
        let following = words[end]
        guard following &- base == step else { break }
        base = following
        end += 1
      }
      run(step, end - index)
      index = end
    }
  }

  /// Writes `count` bytes of a block from `offset` on, as they are.
  @_lifetime(self: copy self)
  mutating func literal(_ block: RawSpan, from offset: Int, count: Int) {
    if count < 16 {
      tag(.literal, count)
    } else {
      wide(.literalWide, UInt64(count))
    }
    code.copy(block, from: offset, count: count, to: place)
    place += count
  }

  /// Writes the head of split numbers; `count` upper parts follow, then as many lower ones.
  @_lifetime(self: copy self)
  mutating func split(_ count: Int) {
    tag(.split, count >> 8)
    byte(count & 0xFF)
  }

  @_lifetime(self: copy self)
  private mutating func run(_ step: UInt64, _ count: Int) {
    if step == 0 {
      counted(.repeated, .repeatedWide, count)
      return
    }
    if count > 1 { counted(.count, .countWide, count) }
    let isDown = step > UInt64(Int64.max)
    let size = isDown ? 0 &- step : step
    if size < 16 {
      tag(isDown ? .subtract : .add, Int(size))
    } else {
      wide(isDown ? .subtractWide : .addWide, size)
    }
  }

  @_lifetime(self: copy self)
  private mutating func counted(_ short: PackInstruction, _ long: PackInstruction, _ count: Int) {
    if count < 16 {
      tag(short, count)
    } else {
      tag(long, count >> 8)
      byte(count & 0xFF)
    }
  }

  /// Writes an instruction and a number, in as few bytes as possible.
  @_lifetime(self: copy self)
  private mutating func wide(_ instruction: PackInstruction, _ number: UInt64) {
    let width = number < 1 << 8 ? 1 : number < 1 << 16 ? 2 : number < 1 << 32 ? 4 : 8
    tag(instruction, width)
    // Extra bytes after the number are overwritten by what comes next.
    code[Field<UInt64>(at: place)] = number
    place += width
  }

  @_lifetime(self: copy self)
  private mutating func tag(_ instruction: PackInstruction, _ low: Int) {
    byte(Int(instruction.rawValue) << 4 | low)
  }

  @_lifetime(self: copy self)
  private mutating func byte(_ value: Int) {
    code[Field<UInt8>(at: place)] = UInt8(truncatingIfNeeded: value)
    place += 1
  }
}

/// Numbers of eight bytes in a block, or some bits of each.
struct PackedWords: ~Escapable {
  let count: Int
  private let block: RawSpan
  private let offset: Int
  private let shift: UInt64
  private let mask: UInt64

  @_lifetime(copy block)
  init(_ block: RawSpan, at offset: Int, _ count: Int, shift: UInt64 = 0, mask: UInt64 = .max) {
    self.block = block
    self.offset = offset
    self.count = count
    self.shift = shift
    self.mask = mask
  }

  subscript(index: Int) -> UInt64 {
    block[Field<UInt64>(at: offset &+ 8 &* index)] &>> shift & mask
  }
}
