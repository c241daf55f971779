import Foundation

/// Makes pack files byte by byte, well formed or not, without the code under test.
public struct PackBuilder {
  public var bytes = Data()

  public init(
    blockCount: UInt64, magic: UInt64 = 0xA537_A0AA_6309_EF77, version: UInt64 = 3,
    blockSize: UInt64 = 4096
  ) {
    for number in [magic, version, blockSize, blockCount] { bytes.append(littleEndian: number) }
  }

  /// Appends a record that holds these bytes.
  public mutating func add(record contents: Data, behind: Data = Data()) {
    let stream = PackBuilder.stream(contents) + behind
    bytes.append(littleEndian: UInt64(stream.count))
    bytes += stream
  }

  /// Appends a record of blocks, each with the instructions for it.
  public mutating func add(blocks: [(UInt64, Data)], behind: Data = Data()) {
    var contents = Data()
    for (number, code) in blocks {
      contents.append(littleEndian: number)
      contents += code
    }
    add(record: contents, behind: behind)
  }

  /// The instruction that copies these bytes.
  public static func literal(_ bytes: Data) -> Data {
    Data([0xA2, UInt8(bytes.count & 255), UInt8(bytes.count >> 8)]) + bytes
  }

  /// A zlib stream, nothing in it compressed.
  public static func stream(_ contents: Data) -> Data {
    var stream = Data([0x78, 0x01])
    var rest = contents[...]
    repeat {
      let part = rest.prefix(65535)
      rest = rest.dropFirst(part.count)
      let length = UInt16(part.count)
      stream.append(rest.isEmpty ? 1 : 0)
      for number in [length, ~length] {
        stream += [UInt8(truncatingIfNeeded: number), UInt8(number >> 8)]
      }
      stream += part
    } while !rest.isEmpty
    var (low, high): (UInt32, UInt32) = (1, 0)
    for byte in contents {
      low = (low + UInt32(byte)) % 65521
      high = (high + low) % 65521
    }
    let sum = high << 16 | low
    return stream + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) }
  }
}

extension Data {
  fileprivate mutating func append(littleEndian number: UInt64) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
