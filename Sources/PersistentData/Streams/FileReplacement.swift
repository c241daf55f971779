internal import CSystem
internal import Glibc
internal import Synchronization

/// A file that is made beside the one that it will replace, or that is new.
///
/// It gets the name only when it is whole and on stable storage: until then, or for good if that
/// never happens, the name leads to what it led to before. Until then it has no name at all, if the
/// file system supports that, so that nothing is left behind whatever happens.
///
/// Links stay links: the file that they lead to is replaced. Owner and permissions are kept.
package final class FileReplacement: Sendable {
  /// The path as given.
  package let path: String
  let descriptor: Int32
  /// The path after all links are followed.
  private let target: String
  /// The temporary name, if the file needs one.
  private let temporaryName: Mutex<String?>
  /// Whether the content is copied over the target: no file can be made beside it, or it has
  /// several names.
  private let isCopied: Bool

  /// Changes nothing at `path` yet. The target must be a regular file or not exist.
  ///
  /// `writesThrough`: each write is on stable storage at once.
  package init(_ path: String, writesThrough: Bool = false) throws(IOError) {
    let target = try FileReplacement.target(of: path)
    var status = stat()
    let exists = unsafe stat(FileName.onDisk(target), &status) == 0
    let isWritable = unsafe !exists || access(FileName.onDisk(target), W_OK) == 0
    guard isWritable else { throw .cannotOpen(path: path, errno: errno) }
    let flags = writesThrough ? O_SYNC : 0
    var made = FileReplacement.makeFile(
      in: FileReplacement.folder(of: target), exists ? 0o600 : 0o666, flags)
    let refusals = [EACCES, EPERM, EROFS]
    let isElsewhere = made.descriptor < 0 && exists && refusals.contains(errno)
    if isElsewhere { made = FileReplacement.makeFile(in: "/var/tmp", 0o600, flags) }
    guard made.descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    self.path = path
    self.target = target
    descriptor = made.descriptor
    temporaryName = Mutex(made.name)
    isCopied = isElsewhere || exists && status.st_nlink > 1
    if exists { takeOver(status) }
  }

  deinit {
    close(descriptor)
    temporaryName.withLock { name in
      guard let name else { return }
      unsafe _ = unlink(FileName.onDisk(name))
      dmm_remove_when_stopped(nil)
    }
  }

  /// Replaces the old file. On failure the old one stays, unless its content was being copied over.
  package func commit() throws(IOError) {
    guard fsync(descriptor) == 0 else { throw failure("flushing") }
    if isCopied { return try copyOver() }
    let name: String
    if let given = temporaryName.withLock({ $0 }) {
      name = given
    } else {
      if link(to: target) { return try ByteSink.flushFolder(of: target) }
      name = FileReplacement.freeName(in: FileReplacement.folder(of: target))
      guard link(to: name) else { throw failure("making") }
      temporaryName.withLock { $0 = name }
    }
    if unsafe rename(FileName.onDisk(name), FileName.onDisk(target)) == 0 {
      temporaryName.withLock { $0 = nil }
      dmm_remove_when_stopped(nil)
      return try ByteSink.flushFolder(of: target)
    }
    // Something is mounted there, such as a file shared with a container.
    guard errno == EBUSY else { throw failure("replacing") }
    try copyOver()
  }

  /// Overwrites the old content, after reserving space.
  private func copyOver() throws(IOError) {
    var status = stat()
    let old = unsafe open(FileName.onDisk(target), O_WRONLY | O_CLOEXEC)
    guard old >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    defer { close(old) }
    guard unsafe fstat(descriptor, &status) == 0 else { throw failure("reading") }
    let size = status.st_size
    guard unsafe fstat(old, &status) == 0 else { throw failure("reading") }
    if size > 0 {
      let code = posix_fallocate(old, 0, size)
      guard code == 0 || code == EOPNOTSUPP || code == EINVAL else {
        ftruncate(old, status.st_size)
        throw .callFailed(call: "writing to '\(path)'", errno: code)
      }
    }
    var done: off_t = 0
    while done < size {
      let count = unsafe sendfile(old, descriptor, &done, min(Int(size - done), 1 << 30))
      guard count > 0 || count < 0 && errno == EINTR else { throw failure("writing to") }
    }
    guard ftruncate(old, size) == 0, fsync(old) == 0 else { throw failure("writing to") }
  }

  /// Links the nameless file to an unused name.
  private func link(to name: String) -> Bool {
    let here = "/proc/self/fd/\(descriptor)"
    return unsafe linkat(
      AT_FDCWD, here, AT_FDCWD, FileName.onDisk(name), AT_SYMLINK_FOLLOW) == 0
  }

  /// Copies owner and permissions from the old file.
  private func takeOver(_ old: stat) {
    var mode = old.st_mode & 0o777
    // If the group can't be kept, it gets only the rights of others.
    if fchown(descriptor, old.st_uid, old.st_gid) != 0, fchown(descriptor, .max, old.st_gid) != 0 {
      mode = mode & ~0o070 | (mode & 0o007) << 3
    }
    _ = fchmod(descriptor, mode)
  }

  private func failure(_ verb: String) -> IOError {
    .callFailed(call: "\(verb) '\(path)'", errno: errno)
  }
}

// MARK: Names

extension FileReplacement {
  private static let maxLinks = 40

  /// Where a path leads to through links, dangling ones included.
  private static func target(of path: String) throws(IOError) -> String {
    var path = path
    for _ in 0..<maxLinks {
      guard !path.isEmpty else { throw .cannotOpen(path: path, errno: ENOENT) }
      guard let next = link(at: path) else { return path }
      path = next.hasPrefix("/") ? next : folder(of: path) + next
    }
    throw .cannotOpen(path: path, errno: ELOOP)
  }

  /// The target of a link; `nil` if `path` isn't a link.
  private static func link(at path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(FileName.onDisk(path), &bytes, bytes.count)
    return count > 0
      ? FileName.decode(bytes[..<count].map(UInt8.init(bitPattern:))) : nil
  }

  /// The folder of a file, with its final slash; empty for the current one.
  private static func folder(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)])
  }

  /// Makes a file in a folder, without a name if possible. On failure the descriptor is below 0,
  /// and `errno` says why.
  private static func makeFile(
    in folder: String, _ mode: mode_t, _ flags: Int32
  ) -> (descriptor: Int32, name: String?) {
    let here = folder.isEmpty ? "." : folder
    // Naming it later needs /proc, which a rescue system may lack.
    if unsafe access("/proc/self/fd", X_OK) == 0 {
      let nameless = unsafe open(
        FileName.onDisk(here), dmm_o_tmpfile | O_RDWR | O_CLOEXEC | flags, mode)
      if nameless >= 0 || ![EOPNOTSUPP, EISDIR, EINVAL].contains(errno) { return (nameless, nil) }
    }
    let name = freeName(in: folder)
    unsafe dmm_remove_when_stopped(FileName.onDisk(name))
    let all = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | flags
    return (unsafe open(FileName.onDisk(name), all, mode), name)
  }

  /// An unused name in the folder.
  private static func freeName(in folder: String) -> String {
    let place = folder.isEmpty || folder.hasSuffix("/") ? folder : folder + "/"
    var number = 0
    while true {
      let name = "\(place).dmmeta-\(getpid())-\(number)"
      if !ByteSink.exists(name) { return name }
      number += 1
    }
  }
}
