internal import PersistentData

/// A small text that a person names: a file, or `-` for standard input.
enum TextInput {
  /// More than any report of lvs, or the metadata of any volume group, has.
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
