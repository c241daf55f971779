import CSystem
import Testing

@Suite struct ChecksumTests {
  @Test func `the known answer for 123456789 comes out of both implementations`() {
    let digits = Array("123456789".utf8)
    #expect(~dmm_crc32c(~0, digits, digits.count) == 0xE306_9283)
    #expect(~dmm_crc32c_table(~0, digits, digits.count) == 0xE306_9283)
  }

  @Test func `no bytes leave the register as it is`() {
    #expect(dmm_crc32c(0x1234_5678, nil, 0) == 0x1234_5678)
    #expect(dmm_crc32c_table(0x1234_5678, nil, 0) == 0x1234_5678)
  }

  @Test func `a sum may be continued from any byte`() {
    let bytes = (0..<10_000).map { _ in UInt8.random(in: 0...255) }
    let whole = dmm_crc32c(~0, bytes, bytes.count)
    for _ in 0..<200 {
      let cut = Int.random(in: 0...bytes.count)
      let head = dmm_crc32c(~0, bytes, cut)
      let tail = Array(bytes[cut...])
      #expect(dmm_crc32c(head, tail, tail.count) == whole, "cut at \(cut)")
    }
  }

  /// Bit by bit, straight from the definition.
  private func model(_ seed: UInt32, _ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(seed) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in
        crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1
      }
    }
  }

  @Test func `instructions, tables and the definition agree at every length and alignment`() {
    let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255) }
    let lengths =
      Array(0...70) + [1359, 1360, 4079, 4080, 4081, 4088, 4092, 8159, 8160]
      + (0..<200).map { _ in Int.random(in: 0...12_000) }
    bytes.withUnsafeBytes { buffer in
      for length in lengths {
        let start = Int.random(in: 0..<64)
        let seed = UInt32.random(in: 0...UInt32.max)
        let slice = UnsafeRawBufferPointer(rebasing: buffer[start..<start + length])
        let expected = model(seed, slice)
        let place: Comment = "length \(length), start \(start), seed \(seed)"
        #expect(dmm_crc32c(seed, slice.baseAddress, length) == expected, place)
        #expect(dmm_crc32c_table(seed, slice.baseAddress, length) == expected, place)
      }
    }
  }
}
