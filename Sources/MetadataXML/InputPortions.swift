/// Some lines of the input.
struct InputPortion: Sendable {
  /// Zeroes after the bytes, so that the last ones can be read as a whole word.
  static let padding = 8

  /// The bytes and the padding.
  let padded: [UInt8]

  var count: Int { padded.count - InputPortion.padding }
  var bytes: Span<UInt8> {
    @_lifetime(borrow self) get { padded.span.extracting(..<count) }
  }
}

/// Cuts the bytes of a source into portions of whole lines.
struct InputPortions {
  private let size: Int
  /// The start of a line that was not complete when the last portion was cut.
  private var rest: [UInt8] = []
  private var isAtEnd = false

  /// `size`: the most bytes in a portion; at least two, so that one can be held back.
  init(size: Int) { self.size = max(size, 2) }

  /// The next portion; `nil` at the end of the input.
  ///
  /// It ends with a whole line, unless the input ends or a line is longer than a portion. It has at
  /// least two bytes, if there are two: expat detects the encoding by the first two bytes, but only
  /// if it gets them together. A carriage return stays with the line feed after it: expat counts
  /// two lines if it gets them separately.
  mutating func next(
    from source: (inout MutableRawSpan) throws -> Int
  ) throws(XMLError) -> InputPortion? {
    if isAtEnd { return nil }
    var bytes = [UInt8](repeating: 0, count: size + InputPortion.padding)
    bytes.replaceSubrange(..<rest.count, with: rest)
    var count = rest.count
    while count < size, !isAtEnd {
      let more = try read(into: &bytes, from: count, source)
      count += more
      isAtEnd = more == 0
    }
    let end = isAtEnd ? count : cut(bytes, count)
    rest = Array(bytes[end..<count])
    if end == 0 { return nil }
    bytes.removeLast(size - end)
    for index in end..<end + InputPortion.padding { bytes[index] = 0 }
    return InputPortion(padded: bytes)
  }

  /// Where the portion ends.
  private func cut(_ bytes: [UInt8], _ count: Int) -> Int {
    let lastLine = bytes[..<count].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    if lastLine >= 2 { return lastLine }
    return bytes[count - 1] == UInt8(ascii: "\r") ? count - 1 : count
  }

  private func read(
    into bytes: inout [UInt8], from start: Int, _ source: (inout MutableRawSpan) throws -> Int
  ) throws(XMLError) -> Int {
    var span = bytes.mutableSpan
    var room = unsafe span.mutableBytes
    var free = room._mutatingExtracting(start..<size)
    let count: Int
    do { count = try source(&free) } catch { throw .sourceFailed(error) }
    precondition(count >= 0 && count <= free.byteCount, "a source overran its buffer")
    return count
  }
}
