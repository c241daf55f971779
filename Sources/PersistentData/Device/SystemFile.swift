/// The small files below /sys in which Linux describes its devices.
enum SystemFile {
  private static let maxBytes = 4096

  /// A file's text, without its final newline; `nil` if there is no such file.
  static func text(_ path: String) -> String? {
    guard let source = try? ByteSource(path) else { return nil }
    var bytes = [UInt8](repeating: 0, count: maxBytes)
    var span = bytes.mutableSpan
    var room = unsafe span.mutableBytes
    guard let count = try? source.read(into: &room) else { return nil }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  static func number(_ path: String) -> UInt64? { text(path).flatMap { UInt64($0) } }
}
