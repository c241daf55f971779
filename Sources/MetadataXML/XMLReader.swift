internal import Threads

/// Reads an XML document from a source of bytes, in bounded memory, and feeds it to a consumer.
///
/// expat decides what XML is. But nearly all of a dump is rows in canonical form, and expat would
/// take minutes for those of a large pool, so they bypass it through a fast lane (`RowLane`). What
/// a consumer gets depends neither on the lane nor on how the source portions the bytes. All cores
/// find possible rows; the calling thread decides whether they are rows, and does everything else.
///
/// The lane is open from the start until the first line that isn't simple (`isSimpleLine`), and
/// never again: while it is open, each line starts between two tags. It takes a row only when
/// everything before it has been parsed, and inside an open element, where a tag may occur. It
/// takes a container as a whole, from start tag to end tag, if one portion has all of it and it
/// holds nothing but rows. Other lines go to expat, always as whole lines, so that expat holds
/// nothing back.
package struct XMLReader: ~Copyable {
  /// How deep elements may nest. Metadata needs four levels.
  package static let maxDepth = 8

  /// An element that has been started and not ended.
  struct OpenElement {
    let name: String
    let position: XMLPosition
    /// Whether it was delivered as a row, and so must stay empty.
    let isRow: Bool
  }

  let expat = ExpatParser()
  let shapes: [XMLRowShape]
  var openElements: [OpenElement] = []
  /// Whether a start tag has been seen.
  var hasRoot = false
  /// Lines that went through the lane, which expat hasn't seen.
  var laneLineCount = 0

  private var isLaneOpen: Bool
  /// Whether the innermost open element is a container whose start tag expat hasn't seen.
  private var isInLaneContainer = false
  /// Lines handled, counted while the lane is open.
  private var lineCount = 0

  /// Some lines, and the possible rows among them.
  private struct Portion: Sendable {
    let input: InputPortion
    let rows: LaneRows
  }

  /// Reads a whole document.
  ///
  /// `source` fills the front of the bytes it is given and returns how many it filled: 0 at the end
  /// of the input, and only there. Returns how many lines took the lane, for the tests; they also
  /// turn the lane off, and read in small portions.
  @discardableResult package static func read<Consumer: XMLConsumer & ~Copyable>(
    into consumer: inout Consumer, portionSize: Int = 1 << 18, usesLane: Bool = true,
    from source: (inout MutableRawSpan) throws -> Int
  ) throws(XMLError) -> Int {
    let shapes = Consumer.rows
    var reader = XMLReader(shapes, usesLane: usesLane)
    var portions = InputPortions(size: portionSize)
    var failure: XMLError?
    var isEmpty = true
    let pipeline = OrderedPipeline<RowLane, InputPortion, Portion>(
      makeContext: { RowLane(shapes) },
      transform: { Portion(input: $1, rows: $0.rows(in: $1.padded.span, $1.count)) })
    try pipeline.run {
      do throws(XMLError) {
        let input = try portions.next(from: source)
        if input != nil { isEmpty = false }
        return input
      } catch {
        failure = error
        return nil
      }
    } consume: { (portion) throws(XMLError) in
      try reader.take(portion, into: &consumer)
    }
    if let failure { throw failure }
    if isEmpty { throw .empty }
    let nothing: [UInt8] = []
    try reader.parse(nothing.span, isLast: true, into: &consumer)
    return reader.laneLineCount
  }

  private init(_ shapes: [XMLRowShape], usesLane: Bool) {
    self.shapes = shapes
    isLaneOpen = usesLane
  }

  private mutating func take<Consumer: XMLConsumer & ~Copyable>(
    _ portion: Portion, into consumer: inout Consumer
  ) throws(XMLError) {
    let bytes = portion.input.bytes
    let done = isLaneOpen ? try takeLines(bytes, portion.rows, into: &consumer) : 0
    if done == bytes.count { return }
    // A line longer than a portion can't take the lane either.
    isLaneOpen = false
    try parse(bytes.extracting(done...), into: &consumer)
  }

  /// Handles lines while the lane is open, except an unfinished one. Returns where they end.
  private mutating func takeLines<Consumer: XMLConsumer & ~Copyable>(
    _ bytes: Span<UInt8>, _ rows: LaneRows, into consumer: inout Consumer
  ) throws(XMLError) -> Int {
    // Start of the lines that expat gets next, in one go.
    var parsed = 0
    var line = 0
    var nextRow = 0
    var nextRun = 0
    while line < bytes.count {
      if nextRow < rows.rows.count, rows.rows[nextRow].start == line {
        if parsed < line { try parse(bytes.extracting(parsed..<line), into: &consumer) }
        parsed = line
        while nextRun < rows.runs.count, rows.runs[nextRun].upperBound <= nextRow { nextRun += 1 }
        if nextRun < rows.runs.count, rows.runs[nextRun].contains(nextRow), mayHoldTags {
          let run = nextRow..<rows.runs[nextRun].upperBound
          try deliver(run, of: rows, after: lineCount, to: &consumer)
          (laneLineCount, lineCount) = (laneLineCount + run.count, lineCount + run.count)
          nextRow = run.upperBound
          line = rows.rows[nextRow - 1].end
          parsed = line
          continue
        }
        let row = rows.rows[nextRow]
        line = row.end
        if try take(row, nextRow, of: rows, into: &consumer) {
          laneLineCount += 1
          parsed = line
        }
        nextRow += 1
      } else if let end = endOfLine(in: bytes, from: line) {
        // The first two bytes have to stay together, so that expat can detect the encoding.
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
    return line
  }

  /// Gives the consumer the line of a container that the lane found; returns `false` if expat has
  /// to parse it.
  private mutating func take<Consumer: XMLConsumer & ~Copyable>(
    _ row: LaneRows.Row, _ index: Int, of rows: LaneRows, into consumer: inout Consumer
  ) throws(XMLError) -> Bool {
    let position = XMLPosition(line: lineCount + 1, column: row.tag - row.start + 1)
    switch row.kind {
    case .row: return false
    case .opening(let isClosed):
      // Its contents need a level, too.
      guard isClosed, mayHoldTags, openElements.count + 1 < Self.maxDepth else { return false }
      let shape = Int(rows.shapes[index])
      try deliver(shape, rows.values(of: index..<index + 1), at: position, to: &consumer)
      openElements.append(.init(name: shapes[shape].name, position: position, isRow: false))
      isInLaneContainer = true
    case .closing:
      guard isInLaneContainer else { return false }
      isInLaneContainer = false
      try deliverEnd(at: position, to: &consumer)
    }
    return true
  }

  private mutating func parse<Consumer: XMLConsumer & ~Copyable>(
    _ bytes: Span<UInt8>, isLast: Bool = false, into consumer: inout Consumer
  ) throws(XMLError) {
    let failure = expat.parse(bytes, isLast: isLast)
    try deliverNotes(to: &consumer)
    if let failure { throw error(failure) }
  }
}
