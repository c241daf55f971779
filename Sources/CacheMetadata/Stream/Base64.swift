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

  /// The bytes of a text; `nil` when it is no base64.
  static func decode(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 4 == 0 else { return nil }
    let padded = digits.reversed().prefix { $0 == padding }.count
    guard padded <= 2 else { return nil }
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    for (index, digit) in digits.enumerated() {
      let isPadding = index >= digits.count - padded
      guard let value = isPadding ? 0 : alphabet.firstIndex(of: digit) else { return nil }
      bits = bits << 6 | UInt32(value)
      if index % 4 == 3 {
        bytes += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
        bits = 0
      }
    }
    return Array(bytes.dropLast(padded))
  }
}
