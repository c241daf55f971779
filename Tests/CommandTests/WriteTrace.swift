import Foundation
import TestSupport
import Testing

/// What a tool writes to some files, in the order in which the system is told: every write with its
/// bytes, and every flush that has come to its end.
struct WriteTrace {
  enum Event {
    case write(file: Int, offset: Int, bytes: Data)
    case flush(file: Int)

    var file: Int {
      switch self {
      case .write(let file, _, _), .flush(let file): file
      }
    }

    var isFlush: Bool { if case .flush = self { true } else { false } }
  }

  var events: [Event]

  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <unistd.h>

    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int index_of(int descriptor) {
      struct stat mine, its;
      if (fstat(descriptor, &mine) != 0) return -1;
      for (int i = 0; i < 2; i++) {
        const char *file = getenv(i == 0 ? "TRACED_0" : "TRACED_1");
        if (file && stat(file, &its) == 0 && mine.st_ino == its.st_ino &&
            mine.st_dev == its.st_dev) return i;
      }
      return -1;
    }
    static void note(char kind, int index, const void *bytes, size_t count, off_t offset) {
      FILE *log = fopen(getenv("TRACE"), "a");
      if (!log) abort();
      fprintf(log, "%c %d %lld %zu\\n", kind, index, (long long)offset, count);
      if (count) fwrite(bytes, 1, count, log);
      if (fclose(log) != 0) abort();
    }
    static ssize_t written(const char *name, int d, const void *b, size_t n, off_t o) {
      ssize_t (*next)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, name);
      int index = index_of(d);
      pthread_mutex_lock(&lock);
      ssize_t result = next(d, b, n, o);
      if (index >= 0 && result > 0) note('w', index, b, result, o);
      pthread_mutex_unlock(&lock);
      return result;
    }
    static int flushed(const char *name, int d) {
      int (*next)(int) = dlsym(RTLD_NEXT, name);
      int index = index_of(d);
      pthread_mutex_lock(&lock);
      int result = next(d);
      if (index >= 0 && result == 0) note('f', index, 0, 0, 0);
      pthread_mutex_unlock(&lock);
      return result;
    }
    ssize_t pwrite(int d, const void *b, size_t n, off_t o) {
      return written("pwrite", d, b, n, o);
    }
    ssize_t pwrite64(int d, const void *b, size_t n, off_t o) {
      return written("pwrite64", d, b, n, o);
    }
    int fsync(int d) { return flushed("fsync", d); }
    int fdatasync(int d) { return flushed("fdatasync", d); }
    """

  private static let library: Result<String, any Error> = Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dmmeta-writes-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let code = folder.appendingPathComponent("writes.c")
    try Data(source.utf8).write(to: code)
    let made = folder.appendingPathComponent("writes.so").path
    let result = try Shell.run(
      "/bin/sh",
      [
        "-c", "$(command -v cc || command -v clang) -shared -fPIC -O1 -o $0 $1 -ldl -lpthread",
        made, code.path,
      ])
    try #require(result.status == 0, "\(result.errorText)")
    return made
  }

  /// Runs a tool and traces what it writes to up to two files.
  static func of(
    _ tool: String, _ arguments: [String], files: [String], in scratch: Scratch
  ) throws -> (trace: WriteTrace, result: Shell.Result) {
    let log = try scratch.file("trace")
    let traced = files.enumerated().map { "TRACED_\($0.offset)=\($0.element)" }
    let result = try Shell.run(
      "/usr/bin/env",
      ["LD_PRELOAD=\(try library.get())", "TRACE=\(log)"] + traced + [Program.path, tool]
        + arguments)
    return (WriteTrace(try Data(contentsOf: URL(fileURLWithPath: log))), result)
  }

  private init(_ log: Data) {
    var rest = log[...]
    events = []
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
      let numbers = words.dropFirst().compactMap { Int($0) }
      rest = rest[(end + 1)...]
      if words[0] == "f" {
        events.append(.flush(file: numbers[0]))
      } else {
        events.append(
          .write(file: numbers[0], offset: numbers[1], bytes: Data(rest.prefix(numbers[2]))))
        rest = rest.dropFirst(numbers[2])
      }
    }
  }

  /// What is on the disks after the first `count` events where everything goes there at once, as
  /// when the program is killed.
  func disks(_ start: [Data], after count: Int) -> [Data] {
    var disks = start
    for case .write(let file, let offset, let bytes) in events.prefix(count) {
      disks[file].replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    return disks
  }

  /// What may be on the disks after a power cut at that moment: all that was flushed, and of the
  /// rest any sectors.
  func disks(
    _ start: [Data], afterPowerCutAt count: Int, _ random: inout SeededRandom
  ) -> [Data] {
    var disks = start
    let kept = random.number(0...10)
    for (index, event) in events.prefix(count).enumerated() {
      guard case .write(let file, let offset, let bytes) = event else { continue }
      let isSafe = events[index..<count].contains { $0.isFlush && $0.file == file }
      for sector in stride(from: 0, to: bytes.count, by: 512)
      where isSafe || random.number(0..<10) < kept {
        let part = bytes.dropFirst(sector).prefix(512)
        disks[file].replaceSubrange(offset + sector..<offset + sector + part.count, with: part)
      }
    }
    return disks
  }
}
