internal import Glibc
internal import PersistentData
internal import Threads

/// Measures parts of the program: `bench parts FOLDER` on what it makes in a folder,
/// `bench limit FILE` reading and checksumming a file, which is the least that a check must do.
@main
enum Bench {
  static func main() {
    Workers.prepare()
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count == 2, let what = arguments.first, let path = arguments.last else {
      fail("usage: bench parts FOLDER, or bench limit FILE")
    }
    do {
      switch what {
      case "limit": try readAndChecksum(path)
      case "parts": try Parts(folder: path).measure()
      default: fail("unknown: \(what)")
      }
    } catch {
      fail("\(error)")
    }
  }

  private static func fail(_ message: String) -> Never {
    try? ByteSink.standardError.write("bench: \(message)\n")
    exit(1)
  }

  /// Reads all blocks on all cores, as the program does, and finds out the kind of each.
  private static func readAndChecksum(_ path: String) throws {
    let file = try BlockFile(path, .read)
    let visitors = BlockScan(file, Array(0..<UInt32(file.blockCount))).run { KindCounter() }
    let known = visitors.reduce(0) { $0 + $1.known }
    print("\(known) of \(file.blockCount) blocks have a checksum that fits")
  }
}

private struct KindCounter: BlockVisitor {
  var known = 0

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    if BlockKind(of: bytes) != nil { known += 1 }
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {}
}
