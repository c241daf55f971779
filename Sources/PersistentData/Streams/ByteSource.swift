internal import Glibc

/// An input of bytes, from a file or a pipe: XML.
package final class ByteSource: Sendable {
  package let path: String
  /// Bytes in a regular file; `nil` for a pipe.
  package let sizeBytes: UInt64?
  /// How many bytes have been read.
  package let progress = Progress()
  private let descriptor: Int32

  package init(_ path: String) throws(IOError) {
    let descriptor = unsafe open(FileName.onDisk(path), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .notFound(path: path) : .cannotOpen(path: path, errno: errno)
    }
    var status = stat()
    let isKnown = unsafe fstat(descriptor, &status) == 0
    if isKnown, status.st_mode & S_IFMT == S_IFDIR {
      close(descriptor)
      throw .cannotOpen(path: path, errno: EISDIR)
    }
    self.path = path
    self.descriptor = descriptor
    sizeBytes = isKnown && status.st_mode & S_IFMT == S_IFREG ? UInt64(status.st_size) : nil
  }

  deinit { close(descriptor) }

  /// Fills the front of `bytes`, which isn't empty; returns how many bytes were read, 0 at the end.
  package func read(into bytes: inout MutableRawSpan) throws(IOError) -> Int {
    while true {
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      }
      if count >= 0 {
        progress.advance(count)
        return count
      }
      if errno != EINTR { throw .callFailed(call: "reading '\(path)'", errno: errno) }
    }
  }

  /// Reads `count` bytes, or fewer at the end.
  package func read(upTo count: Int) throws(IOError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      var span = bytes.mutableSpan
      var room = unsafe span.mutableBytes
      var rest = room._mutatingExtracting(done...)
      let more = try read(into: &rest)
      if more == 0 { break }
      done += more
    }
    return Array(bytes[..<done])
  }

  /// Reads to the end; `nil` when there are more bytes than `limit`.
  package func readAll(upTo limit: Int) throws(IOError) -> [UInt8]? {
    var bytes: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= limit {
      var span = room.mutableSpan
      var raw = unsafe span.mutableBytes
      let count = try read(into: &raw)
      if count == 0 { return bytes }
      bytes += room[..<count]
    }
    return nil
  }

  /// Starts again from the first byte; works only for a regular file.
  package func rewind() throws(IOError) {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw .callFailed(call: "reading '\(path)' again", errno: errno)
    }
  }
}
