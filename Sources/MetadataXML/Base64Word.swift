// The only base64 parser for XML: four bytes in eight characters, the last two of them padding.

/// The number whose bytes, the lowest first, are encoded in `bytes`.
func base64Word(_ bytes: Span<UInt8>) -> UInt64? {
  var index = 0
  let number = scanBase64Word(bytes, at: &index)
  return index == bytes.count ? number : nil
}

/// Reads the eight characters from `index` on, and moves `index` past them.
///
/// Returns `nil` if they are anything else; `index` is then meaningless.
func scanBase64Word(_ bytes: Span<UInt8>, at index: inout Int) -> UInt64? {
  let padding = UInt8(ascii: "=")
  guard bytes.count - index >= 8, bytes[index + 6] == padding, bytes[index + 7] == padding
  else { return nil }
  var bits: UInt64 = 0
  for place in 0..<6 {
    guard let digit = base64Digit(bytes[index + place]) else { return nil }
    bits = bits << 6 | UInt64(digit)
  }
  index += 8
  // Six digits have four bits more than four bytes.
  return UInt64(UInt32(truncatingIfNeeded: bits >> 4).byteSwapped)
}

private func base64Digit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
  case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
  case UInt8(ascii: "+"): 62
  case UInt8(ascii: "/"): 63
  default: nil
  }
}
