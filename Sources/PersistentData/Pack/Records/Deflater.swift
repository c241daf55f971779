internal import CZlib

/// Makes zlib streams, one after the other; for one worker.
@safe final class Deflater {
  /// The file is sent to people, so its size counts; a higher level hardly makes it smaller.
  private static let level: Int32 = 6
  private static let outputStep = 1 << 16

  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var output: [UInt8] = []
  private var made = 0

  init() {
    unsafe stream.initialize(to: z_stream())
    let code = unsafe deflateInit_(
      stream, Deflater.level, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { fatalError("no memory to compress with") }
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Adds input to the stream.
  func append(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, bytes.count > 0 else { return }
      // zlib does not write there.
      unsafe stream.pointee.next_in = UnsafeMutablePointer(
        mutating: base.assumingMemoryBound(to: UInt8.self))
      unsafe stream.pointee.avail_in = UInt32(bytes.count)
      while unsafe stream.pointee.avail_in > 0 { _ = step(Z_NO_FLUSH) }
    }
  }

  /// Ends the stream, appends it to `record` and gets ready for the next.
  func finish(into record: inout [UInt8]) {
    while step(Z_FINISH) != Z_STREAM_END {}
    record.append(contentsOf: output[..<made])
    made = 0
    unsafe deflateReset(stream)
  }

  private func step(_ flush: Int32) -> Int32 {
    if made == output.count {
      output.append(contentsOf: repeatElement(0, count: max(Deflater.outputStep, output.count)))
    }
    return unsafe output.withUnsafeMutableBufferPointer { output in
      unsafe stream.pointee.next_out = output.baseAddress.map { unsafe $0 + made }
      unsafe stream.pointee.avail_out = UInt32(output.count - made)
      let code = unsafe deflate(stream, flush)
      made = unsafe output.count - Int(stream.pointee.avail_out)
      return code
    }
  }
}
