internal import CZlib

/// Reads zlib streams, one after the other, and checks their checksums; for one worker.
@safe final class Inflater {
  /// The result of one call.
  struct Step {
    /// Bytes of the input that were read.
    let read: Int
    /// Bytes of the output that were written.
    let written: Int
    /// Whether the stream has ended with a matching checksum.
    let isAtEnd: Bool
  }

  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

  init() {
    unsafe stream.initialize(to: z_stream())
    let code = unsafe inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { fatalError("no memory to decompress with") }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Must be called before each stream.
  func begin() { unsafe inflateReset(stream) }

  /// Reads from the front of `input` and fills `output` from `place` on, until either is used up or
  /// the stream ends. `nil` if it isn't a zlib stream, or its checksum doesn't match.
  func step(_ input: RawSpan, into output: inout MutableRawSpan, _ place: Int) -> Step? {
    unsafe input.withUnsafeBytes { input in
      unsafe output.withUnsafeMutableBytes { whole in
        let output = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[place...])
        // zlib does not write to its input.
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
          mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe stream.pointee.avail_in = UInt32(input.count)
        unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(output.count)
        let code = unsafe inflate(stream, Z_NO_FLUSH)
        // Z_BUF_ERROR: no progress for lack of input; the caller notices.
        guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { return nil }
        return unsafe Step(
          read: input.count - Int(stream.pointee.avail_in),
          written: output.count - Int(stream.pointee.avail_out), isAtEnd: code == Z_STREAM_END)
      }
    }
  }
}
