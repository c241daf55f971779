/// The fast lane: reads rows from lines in canonical form, many times faster than expat.
///
/// A canonical line is spaces or tabs, then exactly what the writer writes for a row. It means the
/// same to expat *where a tag may occur*; the reader has to make sure of that.
struct RowLane {
  /// Bytes in a short line of a large device's dump.
  private static let usualLine = 32

  /// Eight bytes of a literal; the mask excludes bytes past its end.
  private struct Word: Equatable {
    let bytes: UInt64
    let mask: UInt64
  }

  /// A literal: one of the pieces of a shape.
  private struct Piece {
    /// Its words: a range of `words`.
    let words: Range<Int>
    /// Its bytes.
    let count: Int
    /// How the number before it is written; the first piece of a line has none.
    let valueKind: XMLRowShape.ValueKind
  }

  /// The literals of all shapes one after the other.
  private var words: [Word] = []
  private var pieces: [Piece] = []
  /// A possible line, and where in `pieces` its literals are.
  private struct Line {
    let shape: UInt8
    let kind: LaneRows.Row.Kind
    let pieces: Range<Int>
    /// Leading pieces that equal those of the line before in `lines`.
    let commonCount: Int
  }

  /// How much of a line is known to match: the number of pieces, and where they end.
  private struct Fit {
    var pieceCount = 0
    var end: Int
  }

  private var lines: [Line] = []
  /// The most numbers that a row of any shape has.
  private let valuesPerRow: Int
  /// The first eight bytes of each line; no first piece is shorter.
  private var openings: [UInt64] = []

  init(_ shapes: [XMLRowShape]) {
    valuesPerRow = shapes.map(\.valueCount).max() ?? 0
    for (index, shape) in shapes.enumerated() {
      append(
        shape.pieces, shape.valueKinds, index,
        shape.isContainer ? .opening(isClosed: false) : .row)
      if shape.isContainer { append([shape.closing], [], index, .closing) }
    }
  }

  private mutating func append(
    _ literals: [String], _ values: [XMLRowShape.ValueKind], _ shape: Int,
    _ kind: LaneRows.Row.Kind
  ) {
    let first = pieces.count
    for (literal, value) in zip(literals, [.decimal] + values) {
      append(Array(literal.utf8), after: value)
    }
    let before = lines.last?.pieces ?? 0..<0
    let common = zip(before, first..<pieces.count).prefix { areAlike($0, $1) }.count
    lines.append(
      Line(shape: UInt8(shape), kind: kind, pieces: first..<pieces.count, commonCount: common))
    openings.append(words[pieces[first].words.lowerBound].bytes)
  }

  private mutating func append(_ literal: [UInt8], after value: XMLRowShape.ValueKind) {
    let first = words.count
    for start in stride(from: 0, to: literal.count, by: 8) {
      var (bytes, mask) = (0 as UInt64, 0 as UInt64)
      for (offset, byte) in literal[start...].prefix(8).enumerated() {
        bytes |= UInt64(byte) << UInt64(8 * offset)
        mask |= 0xFF << UInt64(8 * offset)
      }
      words.append(Word(bytes: bytes, mask: mask))
    }
    pieces.append(
      Piece(words: first..<words.count, count: literal.count, valueKind: value))
  }

  private func areAlike(_ one: Int, _ other: Int) -> Bool {
    pieces[one].valueKind == pieces[other].valueKind
      && words[pieces[one].words].elementsEqual(words[pieces[other].words])
  }

  /// Finds the rows in the first `count` bytes, which start with a line. A row is found only if any
  /// seven more bytes follow it.
  func rows(in bytes: Span<UInt8>, _ count: Int) -> LaneRows {
    var rows = LaneRows(valuesPerRow, roomFor: count / RowLane.usualLine)
    var line = 0
    while line < count {
      let place = rows.makeRoom()
      if let row = row(in: bytes, at: line, &rows.values, from: place) {
        rows.append(row.row, of: row.shape)
        line = row.row.end
      } else if let end = endOfLine(in: bytes, from: line) {
        rows.endRows()
        line = end
      } else {
        break
      }
    }
    rows.endRun()
    return rows
  }

  /// Reads the line that starts at `start`, if it is a whole line, canonical, and of some shape.
  private func row(
    in bytes: Span<UInt8>, at start: Int, _ values: inout [UInt64], from place: Int
  ) -> (row: LaneRows.Row, shape: UInt8)? {
    var tag = start
    while tag < bytes.count, bytes[tag] == UInt8(ascii: " ") || bytes[tag] == UInt8(ascii: "\t") {
      tag += 1
    }
    guard bytes.count - tag >= 8 else { return nil }
    let first = bytes.word(at: tag)
    var fit = Fit(end: tag)
    for line in lines.indices where openings[line] == first {
      // Lines that differ only near their end need not be read twice.
      if fit.pieceCount > lines[line].commonCount { fit = Fit(end: tag) }
      if match(lines[line].pieces, in: bytes, &fit, &values, from: place) {
        let row = LaneRows.Row(
          kind: lines[line].kind, start: start, tag: tag, end: fit.end)
        return (row, lines[line].shape)
      }
    }
    return nil
  }

  /// Matches the rest of a line's pieces, from where it is known to match; returns whether all of
  /// it does.
  private func match(
    _ line: Range<Int>, in bytes: Span<UInt8>, _ fit: inout Fit, _ values: inout [UInt64],
    from place: Int
  ) -> Bool {
    var values = values.mutableSpan
    while fit.pieceCount < line.count {
      let piece = pieces[line.lowerBound + fit.pieceCount]
      var index = fit.end
      if fit.pieceCount > 0 {
        let value =
          switch piece.valueKind {
          case .decimal: scanDecimal(bytes, at: &index)
          case .base64: scanBase64Word(bytes, at: &index)
          }
        guard let value else { return false }
        values[place + fit.pieceCount - 1] = value
      }
      guard bytes.count - index >= 8 * piece.words.count else { return false }
      // This stays within the bytes, so it can't overflow.
      var next = index
      for word in piece.words {
        let difference = bytes.word(at: next) ^ words[word].bytes
        guard difference & words[word].mask == 0 else { return false }
        next &+= 8
      }
      fit.end = index &+ piece.count
      fit.pieceCount += 1
    }
    return true
  }
}

/// The rows that the lane found in some bytes, in order, and the lines of containers.
struct LaneRows: Sendable {
  struct Row: Sendable {
    enum Kind {
      case row
      /// The start tag of a container. `isClosed`: its end tag follows, after nothing but rows.
      case opening(isClosed: Bool)
      /// The end tag of a container whose start tag was found.
      case closing
    }

    fileprivate(set) var kind: Kind
    /// Where the line starts, and where its tag starts, as indices of the bytes.
    let start: Int
    let tag: Int
    /// One past the end of the line.
    let end: Int
  }

  private(set) var rows: [Row] = []
  /// By row.
  private(set) var shapes: [UInt8] = []
  /// Stretches of rows, none of them of a container, that follow each other line by line.
  private(set) var runs: [Range<Int>] = []
  /// Where the run begins that is not in `runs` yet.
  private var runStart = 0
  /// `valuesPerRow` places for each row; its numbers come first.
  fileprivate var values: [UInt64] = []
  let valuesPerRow: Int
  /// The index of a container's start tag that only rows have followed so far.
  private var opening: Int?

  init(_ valuesPerRow: Int, roomFor rowCount: Int) {
    self.valuesPerRow = valuesPerRow
    rows.reserveCapacity(rowCount)
    shapes.reserveCapacity(rowCount)
    values = Array(repeating: 0, count: rowCount * valuesPerRow)
  }

  /// The numbers of some rows, those of each first in its places.
  @_lifetime(borrow self) func values(of rows: Range<Int>) -> Span<UInt64> {
    values.span.extracting(rows.lowerBound * valuesPerRow..<rows.upperBound * valuesPerRow)
  }

  /// Makes room for one more row's numbers; returns where they go.
  fileprivate mutating func makeRoom() -> Int {
    let place = rows.count * valuesPerRow
    if place + valuesPerRow > values.count {
      values += repeatElement(0, count: values.count + 64 * valuesPerRow)
    }
    return place
  }

  /// Adds a line. `endRows` must have been called if other lines came before it.
  fileprivate mutating func append(_ row: Row, of shape: UInt8) {
    if case .row = row.kind {
      rows.append(row)
      shapes.append(shape)
    } else {
      appendTag(row, of: shape)
    }
  }

  /// Adds the line of a container's tag.
  private mutating func appendTag(_ row: Row, of shape: UInt8) {
    endRun()
    if case .opening = row.kind {
      opening = rows.count
    } else {
      // An end tag without such a start tag is left to expat like any other line.
      guard let opening, shapes[opening] == shape else { return endRows() }
      rows[opening].kind = .opening(isClosed: true)
      self.opening = nil
    }
    rows.append(row)
    shapes.append(shape)
    runStart = rows.count
  }

  /// Notes that a line follows that isn't a row.
  fileprivate mutating func endRows() {
    opening = nil
    endRun()
  }

  fileprivate mutating func endRun() {
    if rows.count > runStart { runs.append(runStart..<rows.count) }
    runStart = rows.count
  }
}

/// One past the next line feed.
func endOfLine(in bytes: Span<UInt8>, from start: Int) -> Int? {
  var index = start
  while index < bytes.count {
    index += 1
    if bytes[index - 1] == UInt8(ascii: "\n") { return index }
  }
  return nil
}
