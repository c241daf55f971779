internal import CSystem
internal import Glibc

/// An output for bytes, a file or standard output: dumps and lists.
package final class ByteSink: Sendable {
  package enum Failure: Error, Equatable {
    /// The reader of our standard output, or error, has closed the pipe; not worth a message.
    case readerGone
    case failed(IOError)
  }

  private let name: String
  private let descriptor: Int32
  private let isOwned: Bool
  /// The new file, which gets its name on `commit`.
  private let replacement: FileReplacement?
  private let isBlockDevice: Bool

  private init(
    name: String, descriptor: Int32, isOwned: Bool, replacement: FileReplacement? = nil,
    isBlockDevice: Bool = false
  ) {
    self.name = name
    self.descriptor = descriptor
    self.isOwned = isOwned
    self.replacement = replacement
    self.isBlockDevice = isBlockDevice
  }

  deinit { if isOwned, replacement == nil { close(descriptor) } }

  package static let standardOutput = ByteSink(
    name: "standard output", descriptor: STDOUT_FILENO, isOwned: false)
  package static let standardError = ByteSink(
    name: "standard error", descriptor: STDERR_FILENO, isOwned: false)

  /// Writes to a new file, which replaces an existing one only on `commit`; or directly to a device
  /// or a FIFO, or to standard output under another name.
  ///
  /// `writesThrough`: each write to a file is on stable storage at once.
  package convenience init(to path: String, writesThrough: Bool = false) throws(IOError) {
    var status = stat()
    let code = unsafe stat(FileName.onDisk(path), &status) == 0 ? 0 : errno
    guard code == 0 || code == ENOENT else { throw .cannotOpen(path: path, errno: code) }
    let type = status.st_mode & S_IFMT
    if code == 0, let standard = ByteSink.standard(status) {
      self.init(name: standard.name, descriptor: standard.descriptor, isOwned: false)
    } else if code == ENOENT || type == S_IFREG {
      let replacement = try FileReplacement(path, writesThrough: writesThrough)
      self.init(
        name: "'\(path)'", descriptor: replacement.descriptor, isOwned: true,
        replacement: replacement)
    } else {
      let isBlockDevice = type == S_IFBLK
      // It must not be in use, as by a mounted file system.
      let flags = O_WRONLY | O_CLOEXEC | (isBlockDevice ? O_EXCL : 0)
      let descriptor = unsafe open(FileName.onDisk(path), flags)
      guard descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
      self.init(
        name: "'\(path)'", descriptor: descriptor, isOwned: true, isBlockDevice: isBlockDevice)
    }
  }

  /// Standard output or error, if it leads to `file`.
  private static func standard(_ file: stat) -> ByteSink? {
    [standardOutput, standardError].first { sink in
      var status = stat()
      return unsafe fstat(sink.descriptor, &status) == 0 && status.st_dev == file.st_dev
        && status.st_ino == file.st_ino
    }
  }

  /// Ends the output: returns once everything is on stable storage under its name.
  package func commit() throws(IOError) {
    if let replacement { try replacement.commit() }
    if isBlockDevice { try flush() }
  }

  /// Creates a file that must not exist yet, readable only by its owner.
  package convenience init(creatingNew path: String) throws(IOError) {
    let descriptor = unsafe open(
      FileName.onDisk(path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    self.init(name: "'\(path)'", descriptor: descriptor, isOwned: true)
  }

  /// Returns once everything written is on stable storage.
  package func flush() throws(IOError) {
    guard fsync(descriptor) == 0 else {
      throw .callFailed(call: "flushing \(name)", errno: errno)
    }
  }

  /// Returns once the name of a new file is on stable storage, too.
  package static func flushFolder(of path: String) throws(IOError) {
    let end = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let folder = end == path.startIndex ? "." : String(path[..<end])
    let descriptor = unsafe open(FileName.onDisk(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotOpen(path: folder, errno: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw .callFailed(call: "flushing '\(folder)'", errno: errno)
    }
  }

  /// Whether anything has this name, even a dangling link.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(FileName.onDisk(path), &status) == 0
  }

  /// Removes a file; errors are ignored.
  package static func remove(_ path: String) { unsafe _ = unlink(FileName.onDisk(path)) }

  package var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Whether text may be coloured: on a terminal, unless NO_COLOR is set.
  package var takesColour: Bool { unsafe isTerminal && getenv("NO_COLOR") == nil }

  /// The width of the terminal now, in columns; `nil` if unknown.
  package var columns: Int? {
    let columns = Int(dmm_terminal_columns(descriptor))
    return columns > 0 ? columns : nil
  }

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

  package func write(_ bytes: [UInt8]) throws(Failure) { try unsafe write(bytes.span.bytes) }

  package func write(_ text: String) throws(Failure) { try write(Array(text.utf8)) }
}
