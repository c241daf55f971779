internal import Glibc

/// File names as strings that can pass through the option parser and into messages.
///
/// A name is bytes; a `String` holds only UTF-8, and a newline in a name would break lines in a
/// message. So bytes that aren't UTF-8, and newlines, are private characters in a string, one each:
/// `decode` puts them there when the command line is read, `onDisk` turns them back for the system,
/// and `printable` shows them escaped. Other characters pass through unchanged.
package enum FileName {
  /// The private character of a byte is this far above it: U+10FF00 to U+10FFFF, the last of all.
  private static let base: UInt32 = 0x10FF00
  private static let newline = UInt8(ascii: "\n")

  /// The arguments that the program was started with, its own name first.
  package static var commandLine: [String] {
    (0..<Int(CommandLine.argc)).map { index in
      guard let word = unsafe CommandLine.unsafeArgv[index] else { return "" }
      return unsafe decode(UnsafeRawBufferPointer(start: word, count: strlen(word)))
    }
  }

  /// The string that stands for a name of these bytes.
  package static func decode(_ bytes: some Sequence<UInt8>) -> String {
    let bytes = Array(bytes)
    var text = String.UnicodeScalarView()
    var index = 0
    while index < bytes.count {
      let scalar = scalar(at: index, in: bytes)
      if let scalar, byte(of: scalar) == nil, bytes[index] != newline {
        text.append(scalar)
        index += UTF8.width(scalar)
      } else {
        // A private character that is really in a name is taken byte by byte.
        text.append(stand(in: bytes[index]))
        index += 1
      }
    }
    return String(text)
  }

  /// The bytes of a name, zero-terminated for system calls.
  package static func onDisk(_ name: String) -> [CChar] {
    var bytes: [CChar] = []
    for scalar in name.unicodeScalars {
      if let byte = byte(of: scalar) {
        bytes.append(CChar(bitPattern: byte))
      } else {
        bytes += UTF8.encode(scalar).map { $0.map(CChar.init(bitPattern:)) } ?? []
      }
    }
    return bytes + [0]
  }

  /// The byte that a private character stands for; `nil` for every other character.
  package static func byte(of scalar: Unicode.Scalar) -> UInt8? {
    scalar.value >= base ? UInt8(truncatingIfNeeded: scalar.value) : nil
  }

  private static func stand(in byte: UInt8) -> Unicode.Scalar {
    Unicode.Scalar(base + UInt32(byte)) ?? "?"
  }

  /// The character whose UTF-8 starts there, if it is well formed.
  private static func scalar(at index: Int, in bytes: [UInt8]) -> Unicode.Scalar? {
    var decoder = UTF8()
    var rest = bytes[index...].makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&rest) else { return nil }
    return scalar
  }
}
