internal import Glibc

/// The bytes of a pack file, read at any offset by several threads.
package final class PackSource: Sendable {
  let sizeBytes: UInt64
  private let path: String
  private let descriptor: Int32

  /// Opens a regular file: the size of anything else isn't known.
  package init(_ path: String) throws(IOError) {
    // Opening a pipe without O_NONBLOCK would wait for its other end.
    let descriptor = unsafe open(FileName.onDisk(path), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      throw code == ENOENT || code == ENOTDIR
        ? .notFound(path: path) : .cannotOpen(path: path, errno: code)
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .notAFile(path: path)
    }
    self.path = path
    self.descriptor = descriptor
    sizeBytes = UInt64(clamping: status.st_size)
  }

  deinit { close(descriptor) }

  /// Fills the first `count` bytes of `bytes` with those of the file from `offset` on.
  func read(
    into bytes: inout MutableRawSpan, count: Int, at offset: UInt64
  ) throws(IOError) {
    precondition(count <= bytes.byteCount)
    var done = 0
    while done < count {
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<count])
        return unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
      }
      if got > 0 {
        done += got
      } else if got == 0 || errno != EINTR {
        throw .callFailed(call: "reading '\(path)'", errno: got == 0 ? EIO : errno)
      }
    }
  }
}
