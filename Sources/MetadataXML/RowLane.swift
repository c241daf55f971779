/// The fast lane: reads rows from lines in canonical form, many times as fast as expat.
///
/// A canonical line is spaces or tabs, then exactly what the writer makes of a row. It means the
/// same to expat *where a tag may stand*, and it is the reader's duty to be sure of that.
struct RowLane {
  /// The literals of all shapes one after the other.
  private let literals: [UInt8]
  /// Where in `literals` each piece ends.
  private let pieceEnds: [Int]
  /// Where in `pieceEnds` each shape's pieces end.
  private let shapeEnds: [Int]

  /// The numbers of the row read last, at the front.
  private(set) var values: [UInt64]
  /// The shape read last, which is tried first.
  private var likely = 0

  /// A row that has been read.
  struct Row {
    let shape: Int
    /// Bytes before the tag.
    let indentation: Int
    /// One past the end of the line.
    let end: Int
  }

  init(_ shapes: [XMLRowShape]) {
    var literals: [UInt8] = []
    var pieceEnds: [Int] = []
    var shapeEnds: [Int] = []
    for shape in shapes {
      for piece in shape.pieces {
        literals += piece.utf8
        pieceEnds.append(literals.count)
      }
      shapeEnds.append(pieceEnds.count)
    }
    self.literals = literals
    self.pieceEnds = pieceEnds
    self.shapeEnds = shapeEnds
    values = Array(repeating: 0, count: shapes.map(\.valueCount).max() ?? 0)
  }

  /// Reads the line that starts at `start`, if it is a whole line, canonical, and of some shape.
  mutating func row(in bytes: Span<UInt8>, at start: Int) -> Row? {
    var tag = start
    while tag < bytes.count, bytes[tag] == UInt8(ascii: " ") || bytes[tag] == UInt8(ascii: "\t") {
      tag += 1
    }
    for offset in shapeEnds.indices {
      // The likely one first, then all the others.
      let shape = offset == 0 ? likely : offset <= likely ? offset - 1 : offset
      if let end = match(shape, in: bytes, at: tag) {
        likely = shape
        return Row(shape: shape, indentation: tag - start, end: end)
      }
    }
    return nil
  }

  /// Reads a line of one shape whose tag starts at `start`; returns the end of the line.
  private mutating func match(_ shape: Int, in bytes: Span<UInt8>, at start: Int) -> Int? {
    let firstPiece = shape == 0 ? 0 : shapeEnds[shape - 1]
    var literal = firstPiece == 0 ? 0 : pieceEnds[firstPiece - 1]
    var index = start
    for piece in firstPiece..<shapeEnds[shape] {
      if piece > firstPiece {
        guard let number = scanDecimal(bytes, at: &index) else { return nil }
        values[piece - firstPiece - 1] = number
      }
      let end = pieceEnds[piece]
      guard equal(literals.span, literal..<end, bytes, at: index) else { return nil }
      index += end - literal
      literal = end
    }
    return index
  }
}

/// Whether the bytes of `literals` in a range are also those of `bytes` from `index` on.
@inline(__always) private func equal(
  _ literals: Span<UInt8>, _ range: Range<Int>, _ bytes: Span<UInt8>, at index: Int
) -> Bool {
  guard bytes.count - index >= range.count else { return false }
  let distance = index - range.lowerBound
  var literal = range.lowerBound
  while range.upperBound - literal >= 8 {
    guard literals.word(at: literal) == bytes.word(at: literal + distance) else { return false }
    literal += 8
  }
  if literal == range.upperBound { return true }
  if range.count >= 8 {
    // The rest as a word that overlaps the one before.
    let last = range.upperBound - 8
    return literals.word(at: last) == bytes.word(at: last + distance)
  }
  while literal < range.upperBound {
    guard literals[literal] == bytes[literal + distance] else { return false }
    literal += 1
  }
  return true
}
