/// Reads an XML document from a source of bytes, in bounded memory, and feeds it to a consumer.
///
/// expat decides what XML is. But nearly all of a dump is rows in canonical form, and expat would
/// take minutes for those of a large pool, so they go past it through a fast lane (`RowLane`). What
/// a consumer is given depends neither on the lane nor on how the source portions the bytes.
///
/// The lane is open from the start until the first line that is not simple (`isSimpleLine`), and
/// never again: as long as it is open, each line starts between two tags. A row is taken by it only
/// when all before it has been parsed, and inside an open element, where a tag may stand. Lines that
/// it does not take go to expat, always as whole lines, so that expat holds nothing back.
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
  /// Lines dealt with so far, counted while the lane is open.
  private var lineCount = 0

  /// Bytes from the source; only those in `unread` matter.
  private var buffer: [UInt8]
  private var unread = 0..<0
  private var isEmpty = true

  /// Reads a whole document.
  ///
  /// `source` fills the front of the bytes it is given, at most all of them, and returns how many it
  /// has filled: 0 at the end of the input, and only there. The tests close the lane, and read
  /// through small buffers.
  package static func read<Consumer: XMLConsumer & ~Copyable>(
    into consumer: inout Consumer, bufferSize: Int = 1 << 18, usesLane: Bool = true,
    from source: (inout MutableRawSpan) throws -> Int
  ) throws(XMLError) {
    var reader = XMLReader(Consumer.rows, bufferSize: bufferSize, usesLane: usesLane)
    while try reader.fill(from: source) {
      if reader.isLaneOpen { try reader.takeLines(into: &consumer) }
      if !reader.isLaneOpen { try reader.parse(reader.unread, into: &consumer) }
    }
    if reader.isEmpty { throw .empty }
    try reader.parse(reader.unread, isLast: true, into: &consumer)
  }

  private init(_ shapes: [XMLRowShape], bufferSize: Int, usesLane: Bool) {
    self.shapes = shapes
    lane = RowLane(shapes)
    isLaneOpen = usesLane
    buffer = Array(repeating: 0, count: max(bufferSize, 1))
  }

  /// Reads on behind the unread bytes, which move to the front. Returns whether there was anything.
  private mutating func fill(from source: (inout MutableRawSpan) throws -> Int) throws(XMLError) -> Bool {
    buffer.replaceSubrange(0..<unread.count, with: buffer[unread])
    unread = 0..<unread.count
    let count: Int
    do {
      let room = unread.count..<buffer.count
      var bytes = buffer.mutableSpan
      var free = unsafe bytes.mutableBytes.extracting(room)
      count = try source(&free)
    } catch {
      throw .sourceFailed(error)
    }
    precondition(count >= 0 && count <= buffer.count - unread.count, "a source overran its buffer")
    unread = 0..<unread.count + count
    if count > 0 { isEmpty = false }
    return count > 0
  }

  /// Deals with the unread lines as long as the lane is open, and leaves an unfinished one.
  private mutating func takeLines<Consumer: XMLConsumer & ~Copyable>(
    into consumer: inout Consumer
  ) throws(XMLError) {
    // The lines from the first unread one to this one wait for expat.
    var line = unread.lowerBound
    while line < unread.upperBound {
      if let row = lane.row(in: buffer.span.extracting(..<unread.upperBound), at: line) {
        try parse(unread.lowerBound..<line, into: &consumer)
        ....
      }
    }
  }
}
