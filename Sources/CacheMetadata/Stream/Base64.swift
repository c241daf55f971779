internal import MetadataXML

/// Hints as text: base64 of their bytes.
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")

  /// Appends the four bytes of a number, the lowest first: eight characters.
  static func append(_ number: UInt32, to text: inout TextBuffer) {
    let bits = UInt64(number.byteSwapped) << 16
    for place in 0..<6 { text.append(byte: alphabet[Int(bits >> UInt64(42 - 6 * place) & 63)]) }
    text.append(byte: padding)
    text.append(byte: padding)
  }
}
