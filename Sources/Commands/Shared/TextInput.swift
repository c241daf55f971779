internal import PersistentData

/// A small text named by the user: a file, or `-` for standard input.
enum TextInput {
  /// More than any output of lvs, or any volume group's metadata.
  private static let maxBytes = 64 << 20

  static func read(_ path: String) throws(Failure) -> String {
    do throws(IOError) {
      let bytes = try ByteSource(path == "-" ? "/dev/stdin" : path).readAll(upTo: maxBytes)
      if let bytes { return String(decoding: bytes, as: UTF8.self) }
    } catch {
      throw Failure(input: error)
    }
    throw Failure(.notMetadata, "'\(path)' is too large to be a list of names")
  }
}
