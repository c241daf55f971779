/// Reads an XML document from a source of bytes, in bounded memory, and feeds it to a consumer.
///
/// expat decides what XML is. But nearly all of a dump is rows in canonical form, and expat would
/// take minutes for those of a large pool, so they go past it through a fast lane (`RowLane`). What
/// a consumer is given depends neither on the lane nor on how the source portions the bytes.
///
/// The lane is open from the start until the first line that is not simple (`isSimpleLine`), and
/// never again: as long as it is open, each line starts between two tags. A row is taken by it only
/// when all before it has been parsed, and inside an open element, where a tag may stand. Lines
/// that it does not take go to expat, always as whole lines, so that expat holds nothing back.
package struct XMLReader: ~Copyable {
  /// How deep elements may nest. Metadata needs four levels.
  package static let maxDepth = 8

  /// An element that has been started and not ended.
  struct OpenElement {
    let name: String
    let position: XMLPosition
    /// It has been delivered as a row, so it must stay empty.
    let isRow: Bool
  }

  let expat = ExpatParser()
  let shapes: [XMLRowShape]
  var openElements: [OpenElement] = []
  /// Whether a start tag has been seen.
  var hasRoot = false
  /// Lines that went through the lane, so that expat does not know of them.
  var laneLineCount = 0

  private var lane: RowLane
  private var isLaneOpen: Bool
  /// Lines dealt with, counted while the lane is open.
  private var lineCount = 0
  private var input: InputBuffer

  /// Reads a whole document.
  ///
  /// `source` fills the front of the bytes it is given, at most all of them, and returns how many
  /// it has filled: 0 at the end of the input, and only there. Returns how many rows took the lane,
  /// which the tests want to know; they also close it, and read through small buffers.
  @discardableResult package static func read<Consumer: XMLConsumer & ~Copyable>(
    into consumer: inout Consumer, bufferSize: Int = 1 << 18, usesLane: Bool = true,
    from source: (inout MutableRawSpan) throws -> Int
  ) throws(XMLError) -> Int {
    var reader = XMLReader(Consumer.rows, bufferSize: bufferSize, usesLane: usesLane)
    while try reader.input.fill(from: source) {
      if reader.isLaneOpen { try reader.takeLines(into: &consumer) }
      if !reader.isLaneOpen { try reader.takeAll(into: &consumer) }
    }
    if reader.input.isUntouched { throw .empty }
    try reader.takeAll(isLast: true, into: &consumer)
    return reader.laneLineCount
  }

  private init(_ shapes: [XMLRowShape], bufferSize: Int, usesLane: Bool) {
    self.shapes = shapes
    lane = RowLane(shapes)
    isLaneOpen = usesLane
    input = InputBuffer(size: bufferSize)
  }

  /// Has expat parse all the unread bytes, but for a carriage return at the end: expat counts two
  /// lines if it is given that and its line feed one after the other.
  private mutating func takeAll<Consumer: XMLConsumer & ~Copyable>(
    isLast: Bool = false, into consumer: inout Consumer
  ) throws(XMLError) {
    let unread = input
    let bytes = unread.span
    var end = bytes.count
    if !isLast, end > 0, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    input.drop(end)
    try parse(bytes.extracting(..<end), isLast: isLast, into: &consumer)
  }

  /// Deals with the unread lines while the lane is open, all but an unfinished one.
  private mutating func takeLines<Consumer: XMLConsumer & ~Copyable>(
    into consumer: inout Consumer
  ) throws(XMLError) {
    // A copy of the reference, not of the bytes.
    let unread = input
    let bytes = unread.span
    // The lines in between are for expat, in one go.
    var parsed = 0
    var line = 0
    while line < bytes.count {
      if let row = lane.row(in: bytes, at: line) {
        if parsed < line { try parse(bytes.extracting(parsed..<line), into: &consumer) }
        parsed = line
        line = row.end
        if mayHoldTags {
          let position = XMLPosition(line: lineCount + 1, column: row.indentation + 1)
          try deliver(row.shape, lane.values.span, at: position, to: &consumer)
          laneLineCount += 1
          parsed = line
        }
      } else if let end = endOfLine(in: bytes, from: line) {
        // The first two bytes have to stay together, for expat to tell the encoding.
        let isFirstByte = lineCount == 0 && end == 1
        isLaneOpen = !isFirstByte && isSimpleLine(bytes.extracting(line..<end))
        if !isLaneOpen { break }
        line = end
      } else {
        break
      }
      lineCount += 1
    }
    if parsed < line { try parse(bytes.extracting(parsed..<line), into: &consumer) }
    input.drop(line)
    // A line that the buffer cannot hold is none of the lane's.
    if input.isFull { isLaneOpen = false }
  }

  private mutating func parse<Consumer: XMLConsumer & ~Copyable>(
    _ bytes: Span<UInt8>, isLast: Bool = false, into consumer: inout Consumer
  ) throws(XMLError) {
    let failure = expat.parse(bytes, isLast: isLast)
    try deliverNotes(to: &consumer)
    if let failure { throw error(failure) }
  }
}

/// One past the next line feed.
private func endOfLine(in bytes: Span<UInt8>, from start: Int) -> Int? {
  var index = start
  while index < bytes.count {
    index += 1
    if bytes[index - 1] == UInt8(ascii: "\n") { return index }
  }
  return nil
}
