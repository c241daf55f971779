/// The bytes of one record, read from the file piece by piece and inflated.
struct RecordBytes {
  private static let inputSize = 1 << 16

  private let source: PackSource
  private let inflater = Inflater()
  /// Bytes read from the file; `waiting` is the part not taken yet.
  private var input = [UInt8](repeating: 0, count: inputSize)
  private var waiting = 0..<0
  /// The range of the file not read yet.
  private var unread: Range<UInt64> = 0..<0

  init(_ source: PackSource) { self.source = source }

  /// Bytes not taken yet.
  var count: UInt64 { UInt64(unread.count) + UInt64(waiting.count) }

  /// Starts another record, whose contents are in this range of the file.
  mutating func begin(_ record: Range<UInt64>) {
    unread = record
    waiting = 0..<0
  }

  /// Begins a zlib stream.
  func beginStream() { inflater.begin() }

  /// Takes `count` bytes as they are.
  mutating func take(_ count: Int) throws(RecordError) -> [UInt8] {
    guard UInt64(count) <= self.count else { throw .fault(.unknownRecord) }
    var bytes: [UInt8] = []
    while bytes.count < count {
      try fill()
      let part = waiting.prefix(count - bytes.count)
      bytes += input[part]
      waiting = part.upperBound..<waiting.upperBound
    }
    return bytes
  }

  /// Inflates until `output`, of which `filled` bytes are in use, is full or the stream has ended.
  /// Returns whether it has.
  mutating func inflate(
    into output: inout [UInt8], filled: inout Int
  ) throws(RecordError) -> Bool {
    while filled < output.count {
      try fill()
      let step = output.edit { output in
        inflater.step(input.rawBytes.extracting(waiting), into: &output, filled)
      }
      guard let step else { throw .fault(.notInflated) }
      waiting = waiting.lowerBound + step.read..<waiting.upperBound
      filled += step.written
      if step.isAtEnd { return true }
      if step.read == 0, step.written == 0 { throw .fault(.notInflated) }
    }
    return false
  }

  /// Ensures that there are bytes to take.
  private mutating func fill() throws(RecordError) {
    guard waiting.isEmpty else { return }
    let count = Int(min(UInt64(unread.count), UInt64(RecordBytes.inputSize)))
    guard count > 0 else { throw .fault(.notInflated) }
    do throws(IOError) {
      try input.edit { (bytes) throws(IOError) in
        try source.read(into: &bytes, count: count, at: unread.lowerBound)
      }
    } catch {
      throw .input(error)
    }
    waiting = 0..<count
    unread = unread.lowerBound + UInt64(count)..<unread.upperBound
  }
}

/// Why a record could not be read to its end.
enum RecordError: Error {
  case fault(PackFault)
  case input(IOError)
  case output(IOError)
}
