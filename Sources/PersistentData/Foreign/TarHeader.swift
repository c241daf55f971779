/// The header of a file in a tar archive. Older formats have no magic, only this checksum.
enum TarHeader {
  /// Six octal digits, the sum of all bytes of the header with blanks in place of the sum.
  private static let sum = 148..<156
  private static let size = 512

  static func stands(in block: RawSpan) -> Bool {
    let bytes = (0..<size).map { block[Field<UInt8>(at: $0)] }
    // An empty name ends an archive.
    guard bytes[0] != 0 else { return false }
    let digits = bytes[sum].filter { $0 != 0 && $0 != UInt8(ascii: " ") }
    guard !digits.isEmpty, let stored = Int(String(decoding: digits, as: UTF8.self), radix: 8)
    else { return false }
    let others = bytes.indices.reduce(0) { $0 + (sum.contains($1) ? 0 : Int(bytes[$1])) }
    return stored == others + sum.count * Int(UInt8(ascii: " "))
  }
}
