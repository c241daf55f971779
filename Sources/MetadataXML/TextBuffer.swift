/// A buffer of text as bytes, in which XML and human-readable output is built.
///
/// It grows as needed; its owner writes out `bytes` and empties it whenever `count` is worth a
/// system call. A line of a dump is nine appends and a dump may have 10^9 lines, so appending is
/// `@inlinable`, makes no `String`, and writes to memory that this type alone owns: an array's
/// uniqueness test, nine times per line, would cost as much as the rest.
///
/// The type itself has to be `@usableFromInline`, or none of it is inlined in other modules.
///
/// All unsafe code here relies on one rule: before anything is stored, `reserve` has made room.
@safe @usableFromInline package struct TextBuffer: ~Copyable {
  /// The room for text; its first `count` bytes are initialised.
  @usableFromInline var room: UnsafeMutableRawBufferPointer

  /// Bytes of text held.
  @usableFromInline package internal(set) var count = 0

  /// Makes an empty buffer that holds `capacity` bytes before it grows.
  package init(capacity: Int = 1 << 16) {
    unsafe room = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { unsafe room.deallocate() }

  /// The text so far.
  package var bytes: RawSpan {
    @_lifetime(borrow self) get {
      unsafe _overrideLifetime(RawSpan(_unsafeBytes: room[..<count]), borrowing: self)
    }
  }

  /// Removes the text and keeps the room.
  package mutating func removeAll() { count = 0 }

  /// Returns a copy of the text and removes it.
  package mutating func take() -> [UInt8] {
    defer { count = 0 }
    return unsafe Array(room[..<count])
  }

  /// Makes room for `size` more bytes.
  @inlinable mutating func reserve(_ size: Int) {
    if unsafe room.count - count < size { grow(size) }
  }

  /// At least doubles the room, so that growing costs nothing on average.
  @usableFromInline @inline(never) mutating func grow(_ size: Int) {
    let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
      byteCount: room.count + max(room.count, size, 256), alignment: 16)
    unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: room[..<count]))
    unsafe room.deallocate()
    unsafe room = larger
  }
}

/// Each buffer owns its room and never hands it out, so a buffer may move between threads.
extension TextBuffer: @unchecked Sendable {}

// MARK: Text

extension TextBuffer {
  /// Appends a literal unescaped; when inlined, that is a few moves.
  @inlinable @inline(__always) package mutating func append(_ literal: StaticString) {
    let literal = unsafe UnsafeRawBufferPointer(
      start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    unsafe append(literal)
  }

  /// Appends text unescaped.
  package mutating func append(text: String) {
    append(bytes: text.utf8Span.span)
  }

  /// Appends bytes unchanged.
  package mutating func append(bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBytes { unsafe append($0) }
  }

  /// The most bytes for `append(again:)`: more than two numbers and a word between them take.
  @inlinable package static var longestCopy: Int { 48 }

  /// Appends a part of the existing text, no longer than `longestCopy`, again.
  @inlinable package mutating func append(again part: Range<Int>) {
    precondition(part.lowerBound >= 0 && part.upperBound <= count)
    precondition(part.count <= Self.longestCopy)
    // Copies a fixed number of bytes, which takes a few moves; the extra ones stay within the room
    // and aren't counted.
    reserve(2 * Self.longestCopy)
    let source = unsafe room[part.lowerBound..<part.lowerBound + Self.longestCopy]
    unsafe UnsafeMutableRawBufferPointer(rebasing: room[count..<count + Self.longestCopy])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: source))
    count += part.count
  }

  /// Appends one byte.
  @inlinable package mutating func append(byte: UInt8) {
    reserve(1)
    unsafe room.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  /// Used by the others.
  @inlinable @inline(__always) mutating func append(_ text: UnsafeRawBufferPointer) {
    reserve(text.count)
    unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: text)
    count += text.count
  }
}

// MARK: Numbers

extension TextBuffer {
  /// Appends a number in decimal, without leading zeros.
  @inlinable @inline(__always) package mutating func append(_ number: UInt64) {
    // At most 20 digits, stored as whole words of eight.
    reserve(24)
    if number < 100_000_000 {
      appendFirst(UInt32(truncatingIfNeeded: number))
    } else {
      appendLong(number)
    }
  }

  /// Appends a number of nine digits or more.
  @usableFromInline mutating func appendLong(_ number: UInt64) {
    let (high, low) = number.quotientAndRemainder(dividingBy: 100_000_000)
    if high < 100_000_000 {
      appendFirst(UInt32(truncatingIfNeeded: high))
    } else {
      let (top, middle) = high.quotientAndRemainder(dividingBy: 100_000_000)
      appendFirst(UInt32(truncatingIfNeeded: top))
      append(digits: Self.digits(of: UInt32(truncatingIfNeeded: middle)), from: 0)
    }
    append(digits: Self.digits(of: UInt32(truncatingIfNeeded: low)), from: 0)
  }

  /// Appends a number below 10^8 without leading zeros.
  @inlinable @inline(__always) mutating func appendFirst(_ number: UInt32) {
    let digits = Self.digits(of: number)
    // The last digit stays, even if it is 0.
    append(digits: digits, from: min(digits.trailingZeroBitCount / 8, 7))
  }

  /// Appends the last `8 - first` of eight digits; the room has been made, for all eight.
  @inlinable @inline(__always) mutating func append(digits: UInt64, from first: Int) {
    let text = (digits | 0x3030_3030_3030_3030) &>> UInt64(truncatingIfNeeded: 8 &* first)
    unsafe room.storeBytes(of: text.littleEndian, toByteOffset: count, as: UInt64.self)
    count += 8 - first
  }

  /// The eight decimal digits of a number below 10^8, a byte each, the first in the lowest byte.
  ///
  /// Splits the number three times, all parts at once: into two of four digits, four of two and
  /// eight of one. Each division is a multiplication by a rounded-up reciprocal.
  @inlinable @inline(__always) static func digits(of number: UInt32) -> UInt64 {
    let number = UInt64(number)
    let fours = (number / 10_000) | (number % 10_000) << 32
    // 10486 / 2^20 is 1/100, near enough for up to four digits.
    let hundreds = ((fours &* 10_486) >> 20) & 0x0000_007F_0000_007F
    let twos = hundreds | (fours &- hundreds &* 100) << 16
    // 103 / 2^10 is 1/10, near enough for up to two digits.
    let tens = ((twos &* 103) >> 10) & 0x000F_000F_000F_000F
    return tens | (twos &- tens &* 10) << 8
  }
}
