import Foundation
import TestSupport
import Testing

/// A disk with blocks that can't be read or discarded, made of a file: a library that is loaded
/// before all others has the program's calls for these blocks fail. It can also play an old file
/// system.
enum FailingReads {
  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>
    #include <stdlib.h>
    #include <sys/stat.h>
    #include <unistd.h>

    // How many bytes from a place on are sound.
    static size_t sound(int descriptor, size_t count, off_t offset) {
      const char *file = getenv("FAILING_FILE"), *next = getenv("FAILING_BLOCKS");
      struct stat mine, its;
      if (!file || !next || fstat(descriptor, &mine) != 0 || stat(file, &its) != 0 ||
          mine.st_ino != its.st_ino || mine.st_dev != its.st_dev) return count;
      while (*next) {
        off_t block = strtoll(next, (char **)&next, 10) * 4096;
        if (*next) next++;
        if (offset >= block + 4096 || offset + (off_t)count <= block) continue;
        count = offset < block ? block - offset : 0;
      }
      return count;
    }
    static ssize_t on(const char *name, int descriptor, void *buffer, size_t count, off_t offset) {
      if (count && !(count = sound(descriptor, count, offset))) { errno = EIO; return -1; }
      ssize_t (*next_one)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, name);
      return next_one(descriptor, buffer, count, offset);
    }
    // A file system that has no files without a name.
    static int opened(const char *name, const char *path, int flags, int mode) {
      if ((flags & O_TMPFILE) == O_TMPFILE && getenv("NO_NAMELESS_FILES")) {
        errno = EOPNOTSUPP;
        return -1;
      }
      int (*next_one)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
      return next_one(path, flags, mode);
    }
    static int mode_of(va_list list) { int mode = va_arg(list, int); va_end(list); return mode; }
    int open(const char *path, int flags, ...) {
      va_list list;
      va_start(list, flags);
      return opened("open", path, flags, mode_of(list));
    }
    int open64(const char *path, int flags, ...) {
      va_list list;
      va_start(list, flags);
      return opened("open64", path, flags, mode_of(list));
    }
    static int without(const char *name, int descriptor, int mode, off_t offset, off_t count) {
      if (sound(descriptor, count, offset) < (size_t)count) { errno = EIO; return -1; }
      int (*next_one)(int, int, off_t, off_t) = dlsym(RTLD_NEXT, name);
      return next_one(descriptor, mode, offset, count);
    }
    int fallocate(int d, int m, off_t o, off_t n) { return without("fallocate", d, m, o, n); }
    int fallocate64(int d, int m, off_t o, off_t n) { return without("fallocate64", d, m, o, n); }
    ssize_t pread(int d, void *b, size_t n, off_t o) { return on("pread", d, b, n, o); }
    ssize_t pread64(int d, void *b, size_t n, off_t o) { return on("pread64", d, b, n, o); }
    """

  /// The library, built once a run.
  static let library: Result<String, any Error> = Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dmmeta-reads-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let code = folder.appendingPathComponent("reads.c")
    try Data(source.utf8).write(to: code)
    let made = folder.appendingPathComponent("reads.so").path
    let result = try Shell.run(
      "/bin/sh",
      [
        "-c", "$(command -v cc || command -v clang) -shared -fPIC -O1 -o $0 $1 -ldl", made,
        code.path,
      ])
    try #require(result.status == 0, "\(result.errorText)")
    return made
  }

  /// Runs a tool for which `blocks` of `file`, of 4 KiB, fail.
  static func run(
    _ tool: String, _ arguments: [String], blocks: [Int], of file: String
  ) throws -> Shell.Result {
    let list = blocks.sorted().map(String.init).joined(separator: ",")
    let result = try Shell.run(
      "/usr/bin/env",
      [
        "LD_PRELOAD=\(try library.get())", "FAILING_FILE=\(file)", "FAILING_BLOCKS=\(list)",
        Program.path, tool,
      ] + arguments)
    #expect(!result.wasKilled, "\(tool) \(arguments)")
    #expect(Program.statuses.contains(result.status), "\(tool) \(arguments)")
    return result
  }
}
