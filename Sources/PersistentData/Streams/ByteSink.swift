internal import Glibc

/// Bytes on their way out, to a file or to standard output: dumps and lists.
package final class ByteSink: Sendable {
  package enum Failure: Error, Equatable {
    /// Whoever read our standard output, or error, has closed the pipe; not worth a word.
    case readerGone
    case failed(IOError)
  }

  private let name: String
  private let descriptor: Int32
  private let isOwned: Bool

  private init(name: String, descriptor: Int32, isOwned: Bool) {
    self.name = name
    self.descriptor = descriptor
    self.isOwned = isOwned
  }

  deinit { if isOwned { close(descriptor) } }

  package static let standardOutput = ByteSink(
    name: "standard output", descriptor: STDOUT_FILENO, isOwned: false)
  package static let standardError = ByteSink(
    name: "standard error", descriptor: STDERR_FILENO, isOwned: false)

  /// Creates the file, or empties it.
  package convenience init(creating path: String) throws(IOError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    self.init(name: "'\(path)'", descriptor: descriptor, isOwned: true)
  }

  /// Creates a file that must not be there yet, for its owner alone.
  package convenience init(creatingNew path: String) throws(IOError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    self.init(name: "'\(path)'", descriptor: descriptor, isOwned: true)
  }

  /// Returns once everything written is on stable storage.
  package func flush() throws(IOError) {
    guard fsync(descriptor) == 0 else {
      throw .callFailed(call: "flushing \(name)", errno: errno)
    }
  }

  /// Returns once the name of a new file is on stable storage too.
  package static func flushFolder(of path: String) throws(IOError) {
    let end = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let folder = end == path.startIndex ? "." : String(path[..<end])
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotOpen(path: folder, errno: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw .callFailed(call: "flushing '\(folder)'", errno: errno)
    }
  }

  /// Whether there is anything by this name, a link that leads nowhere among them.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0
  }

  /// Removes a file; that it can't be removed is nobody's concern any more.
  package static func remove(_ path: String) { unsafe _ = unlink(path) }

  package var isTerminal: Bool { isatty(descriptor) == 1 }

  package func write(_ bytes: RawSpan) throws(Failure) {
    var done = 0
    while done < bytes.byteCount {
      let count = unsafe bytes.withUnsafeBytes { all in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: all[done...])
        return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      }
      if count > 0 {
        done += count
      } else if errno == EPIPE, !isOwned {
        throw .readerGone
      } else if errno != EINTR {
        throw .failed(.callFailed(call: "writing to \(name)", errno: errno))
      }
    }
  }

  package func write(_ text: String) throws(Failure) {
    let bytes = Array(text.utf8)
    try unsafe write(bytes.span.bytes)
  }
}
