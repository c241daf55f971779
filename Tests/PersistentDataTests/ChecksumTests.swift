import CSystem
import TestSupport
import Testing

@Suite struct ChecksumTests {
  /// Every way to compute it that this processor can go, and last what chooses among them.
  private let ways: [dmm_crc32c_way] =
    (0...).lazy.map { dmm_crc32c_nth_way($0) }.prefix { $0 != nil }.compactMap { $0 }
    + [dmm_crc32c]

  private func randomBytes(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
    (0..<count).map { _ in random.number(0...UInt8.max) }
  }

  @Test func `the known answer for 123456789 comes out of every way`() {
    let digits = Array("123456789".utf8)
    for (index, way) in ways.enumerated() {
      #expect(~way(~0, digits, digits.count) == 0xE306_9283, "way \(index)")
    }
  }

  @Test func `no bytes leave the register as it is`() {
    for (index, way) in ways.enumerated() {
      #expect(way(0x1234_5678, nil, 0) == 0x1234_5678, "way \(index)")
    }
  }

  @Test func `a sum may be continued from any byte`() {
    var random = SeededRandom()
    let bytes = randomBytes(10_000, &random)
    for (index, way) in ways.enumerated() {
      let whole = way(~0, bytes, bytes.count)
      for _ in 0..<200 {
        let cut = random.number(0...bytes.count)
        let head = way(~0, bytes, cut)
        let tail = Array(bytes[cut...])
        let place: Comment = "way \(index), cut at \(cut), seed \(random.seed)"
        #expect(way(head, tail, tail.count) == whole, place)
      }
    }
  }

  /// Bit by bit, straight from the definition.
  private func model(_ register: UInt32, _ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(register) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in
        crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1
      }
    }
  }

  @Test func `every way and the definition agree at lengths and alignments of all kinds`() {
    var random = SeededRandom()
    let bytes = randomBytes(20_000, &random)
    let lengths =
      Array(0...70) + [447, 448, 449, 1359, 1360, 4079, 4080, 4081, 4088, 4092, 8159, 8160]
      + (0..<200).map { _ in random.number(0...12_000) }
    bytes.withUnsafeBytes { buffer in
      for length in lengths {
        let start = random.number(0..<64)
        let register: UInt32 = random.number(0...UInt32.max)
        let slice = UnsafeRawBufferPointer(rebasing: buffer[start..<start + length])
        let expected = model(register, slice)
        for (index, way) in ways.enumerated() {
          let place: Comment = "way \(index), length \(length), start \(start), seed \(random.seed)"
          #expect(way(register, slice.baseAddress, length) == expected, place)
        }
      }
    }
  }

  /// The definition is too slow for this. It is the tables, the first way, that judge the others.
  @Test func `every way agrees with the tables at every length up to 5000`() {
    var random = SeededRandom()
    let bytes = randomBytes(5064, &random)
    bytes.withUnsafeBytes { buffer in
      for length in 0...5000 {
        let start = random.number(0..<64)
        let register: UInt32 = random.number(0...UInt32.max)
        let base = buffer.baseAddress.map { $0 + start }
        let expected = ways[0](register, base, length)
        for (index, way) in ways.enumerated().dropFirst() {
          let place: Comment = "way \(index), length \(length), start \(start), seed \(random.seed)"
          #expect(way(register, base, length) == expected, place)
        }
      }
    }
  }
}
