/// Bytes on their way from a source to the reader.
struct InputBuffer {
  /// Bytes from the source; only those in `unread` matter.
  private var bytes: [UInt8]
  private var unread = 0..<0
  /// Whether the source has given nothing so far.
  private(set) var isUntouched = true

  /// Makes a buffer of at least two bytes, so that one can be held back.
  init(size: Int) {
    bytes = Array(repeating: 0, count: max(size, 2))
  }

  /// The bytes that have not been dealt with.
  var span: Span<UInt8> {
    @_lifetime(borrow self) get { bytes.span.extracting(unread) }
  }

  /// Whether there is no room for more, even after what has been dealt with is gone.
  var isFull: Bool { unread.count == bytes.count }

  /// Counts the first bytes of `span` as dealt with.
  mutating func drop(_ count: Int) {
    unread = unread.lowerBound + count..<unread.upperBound
  }

  /// Reads on behind the unread bytes, which move to the front, until there are two at least.
  ///
  /// Returns whether there was more. Two, because expat tells the encoding by the first two bytes,
  /// but only if it is given them together.
  mutating func fill(
    from source: (inout MutableRawSpan) throws -> Int
  ) throws(XMLError) -> Bool {
    var isMore = false
    while try readOn(from: source) {
      isMore = true
      if unread.count >= 2 { break }
    }
    return isMore
  }

  private mutating func readOn(
    from source: (inout MutableRawSpan) throws -> Int
  ) throws(XMLError) -> Bool {
    let (start, kept) = (unread.lowerBound, unread.count)
    var span = bytes.mutableSpan
    if start > 0 {
      for index in 0..<kept { span[index] = span[start + index] }
    }
    var room = unsafe span.mutableBytes
    var free = room._mutatingExtracting(kept...)
    let count: Int
    do { count = try source(&free) } catch { throw .sourceFailed(error) }
    precondition(count >= 0 && count <= free.byteCount, "a source overran its buffer")
    unread = 0..<kept + count
    if count > 0 { isUntouched = false }
    return count > 0
  }
}
