import Foundation
import PersistentData
import TestSupport
import Testing

/// What is read of a pack file, and what is refused.
@Suite struct PackFileTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A block that is metadata by its checksum.
  private static func block(_ number: UInt64, _ filling: UInt64 = 0) -> Data {
    let buffer = BlockBuffer(zeroedBlocks: 1)
    buffer.edit(0) { bytes in
      for index in 1..<512 { bytes[Field<UInt64>(at: 8 * index)] = filling &* UInt64(index) }
      bytes[Field<UInt64>(at: 8)] = number
      BlockKind.bitmap.seal(&bytes)
    }
    return Data((0..<4096).map { buffer[0][Field<UInt8>(at: $0)] })
  }

  private func open(_ bytes: Data) throws -> PackFile {
    try PackFile(PackSource(scratch.file("\(UUID())", bytes)))
  }

  /// What comes out.
  private func unpacked(_ bytes: Data) throws -> Data {
    let packed = try open(bytes)
    let path = scratch.folder.appendingPathComponent("\(UUID()).img").path
    let replacement = try FileReplacement(path)
    _ = try packed.unpack(
      to: BlockFile(making: replacement, blockCount: packed.blockCount), isNew: true)
    try replacement.commit()
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private func fault(_ bytes: Data) throws -> PackError? {
    do throws(PackError) {
      _ = try PackFile(source(bytes)).verify()
      return nil
    } catch {
      return error
    }
  }

  private func source(_ bytes: Data) -> PackSource {
    // A file that can't be made fails the test where it is looked at.
    guard let path = try? scratch.file("\(UUID())", bytes), let source = try? PackSource(path)
    else { fatalError("no file can be made in \(scratch.folder.path)") }
    return source
  }

  private func pack(_ code: Data, number: UInt64 = 0, blockCount: UInt64 = 4) -> Data {
    var pack = PackBuilder(blockCount: blockCount)
    pack.add(blocks: [(number, code)])
    return pack.bytes
  }

  // MARK: Instructions

  @Test func `a block that is no metadata is refused, whatever made it`() throws {
    let code = Data([0x08 | 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 0x61, 0xFF])
    #expect(try fault(pack(code)) == .badRecord(offset: 32, fault: .badChecksum(block: 0)))
  }

  /// Instructions, and the numbers that they make.
  private static let instructions: [(code: [UInt8], words: [UInt64])] = [
    ([0x01, 7], [7]),
    ([0x02, 1, 2, 0x04, 1, 0, 0, 1], [0x201, 0x100_0001]),
    ([0x1F, 0x11], [15, 16]),
    ([0x22, 0, 1, 0x21, 9], [256, 265]),
    ([0x01, 9, 0x32, 0x41, 8], [9, 7, .max]),
    ([0x01, 3, 0x53], [3, 3, 3, 3]),
    ([0x01, 3, 0x60, 3], [3, 3, 3, 3]),
    ([0x73, 0x12], [2, 4, 6]),
    ([0x80, 3, 0x12], [2, 4, 6]),
    ([0x72, 0x01, 5], [5, 5]),
    ([0x98, 1, 2, 3, 4, 5, 6, 7, 8], [0x0807_0605_0403_0201]),
    ([0xA1, 8, 1, 2, 3, 4, 5, 6, 7, 8], [0x0807_0605_0403_0201]),
    ([0xB0, 3, 0x01, 1, 0x72, 0x11, 0x01, 9, 0x52], [1 << 24 | 9, 2 << 24 | 9, 3 << 24 | 9]),
  ]

  @Test func `each instruction makes the numbers that it stands for`() throws {
    for (code, words) in Self.instructions {
      var block = Self.block(0)
      for (index, word) in words.enumerated() {
        withUnsafeBytes(of: word.littleEndian) { bytes in
          block.replaceSubrange(64 + 8 * index..<72 + 8 * index, with: bytes)
        }
      }
      let buffer = BlockBuffer(zeroedBlocks: 1)
      buffer.edit(0) { bytes in
        for index in 0..<4096 { bytes[Field<UInt8>(at: index)] = block[index] }
        BlockKind.bitmap.seal(&bytes)
      }
      block = Data((0..<4096).map { buffer[0][Field<UInt8>(at: $0)] })
      let end = 64 + 8 * words.count
      let whole =
        PackBuilder.literal(block[..<64]) + code + PackBuilder.literal(block[end...])
      #expect(try unpacked(pack(whole, blockCount: 1)) == block, "\(code)")
    }
  }

  @Test func `instructions without sense are refused`() throws {
    let literal = PackBuilder.literal(Self.block(0))
    let cases: [(String, Data, PackFault)] = [
      ("an unknown one", Data([0xC0]), .badInstruction(block: 0)),
      ("a number of three bytes", Data([0x03, 0, 0, 0]), .badInstruction(block: 0)),
      ("a count before a literal", Data([0x72]) + literal, .badInstruction(block: 0)),
      ("counts in counts", Data(repeating: 0x71, count: 100_000), .badInstruction(block: 0)),
      ("split numbers in split numbers", Data([0xB0, 2, 0xB0, 2]), .badInstruction(block: 0)),
      ("split numbers for ever", Data(repeating: 0xB1, count: 50000), .badInstruction(block: 0)),
      ("literals of nothing", Data(repeating: 0x90, count: 200_000), .badLength(block: 0)),
      ("too long a literal", Data([0xA4, 1, 16, 0, 0]) + Data(count: 4097), .badLength(block: 0)),
      (
        "an endless literal", Data([0xA8] + [UInt8](repeating: 255, count: 8)),
        .badLength(block: 0)
      ),
      ("too many numbers", Data([0x01, 1, 0x6F, 0xFF]), .badLength(block: 0)),
      ("too many split numbers", Data([0xB2, 1]) + literal, .badLength(block: 0)),
      ("no split numbers", Data([0xB0, 0]) + literal, .badLength(block: 0)),
      ("too little", literal.dropLast(), .badLength(block: 0)),
      ("nothing", Data(), .badLength(block: 0)),
    ]
    for (what, code, wanted) in cases {
      #expect(try fault(pack(code)) == .badRecord(offset: 32, fault: wanted), "\(what)")
    }
  }

  // MARK: Records

  @Test func `blocks of any order and any record come to their places`() throws {
    let numbers: [UInt64] = [700, 3, 0, 1, 2, 699, 500]
    var pack = PackBuilder(blockCount: 800)
    var image = Data(count: 800 * 4096)
    for number in numbers {
      let block = Self.block(number, number)
      pack.add(blocks: [(number, PackBuilder.literal(block))])
      image.replaceSubrange(Int(number) * 4096..<Int(number + 1) * 4096, with: block)
    }
    pack.add(record: Data())
    #expect(try unpacked(pack.bytes) == image)
  }

  @Test func `a record longer than any buffer is read piece by piece`() throws {
    var pack = PackBuilder(blockCount: 3000)
    pack.add(
      blocks: (0..<3000).map { ($0, PackBuilder.literal(Self.block($0, $0 &* 0x9E37_79B9))) })
    let image = try unpacked(pack.bytes)
    for number in [0, 1, 255, 256, 257, 1999, 2999] as [UInt64] {
      let wanted = Self.block(number, number &* 0x9E37_79B9)
      #expect(image[Int(number) * 4096..<Int(number + 1) * 4096] == wanted)
    }
  }

  @Test func `headers that make no sense are refused`() throws {
    let cases: [(PackBuilder, PackError)] = [
      (PackBuilder(blockCount: 4, magic: 5), .notAPack),
      (PackBuilder(blockCount: 4, version: 2), .unknownVersion(2)),
      (PackBuilder(blockCount: 4, blockSize: 512), .unknownBlockSize(512)),
      (PackBuilder(blockCount: 0), .tooLarge(blockCount: 0)),
      (PackBuilder(blockCount: 1 << 52), .tooLarge(blockCount: 1 << 52)),
      (PackBuilder(blockCount: .max), .tooLarge(blockCount: .max)),
    ]
    for (pack, wanted) in cases { #expect(try fault(pack.bytes) == wanted) }
    #expect(try fault(Data(PackBuilder(blockCount: 4).bytes.prefix(31))) == .notAPack)
  }

  @Test func `records that make no sense are refused`() throws {
    let literal = PackBuilder.literal(Self.block(1))
    let header = PackBuilder(blockCount: 16).bytes
    let one = pack(literal, number: 1, blockCount: 16)
    var badSum = one
    badSum[badSum.count - 1] ^= 1
    var behind = PackBuilder(blockCount: 16)
    behind.add(blocks: [(1, literal)], behind: Data([0]))
    var unknown = PackBuilder(blockCount: 16)
    unknown.add(record: Data(), behind: Data("something of somebody else".utf8))
    var half = PackBuilder(blockCount: 16)
    half.add(record: Data([1, 0, 0]))
    let cases: [(String, Data, PackFault)] = [
      ("cut off", one.dropLast(), .cutOff),
      ("a length cut off", header + [1, 2, 3], .cutOff),
      ("an endless length", header + [255, 255, 255, 255, 255, 255, 255, 127, 0], .cutOff),
      ("no stream", header + [4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], .notInflated),
      ("nothing", header + [0, 0, 0, 0, 0, 0, 0, 0], .notInflated),
      ("a bad sum", badSum, .notInflated),
      ("bytes behind", behind.bytes, .bytesBehind),
      ("bytes of others behind nothing", unknown.bytes, .unknownRecord),
      ("half a number", half.bytes, .numberCutOff),
      ("beyond the end", pack(literal, number: 4), .blockOutOfRange(4)),
      ("far beyond the end", pack(literal, number: 1 << 60), .blockOutOfRange(1 << 60)),
    ]
    for (what, bytes, wanted) in cases {
      #expect(try fault(bytes) == .badRecord(offset: 32, fault: wanted), "\(what)")
    }
    #expect(try fault(one + one.dropFirst(32)) == .blockTwice(1))
  }

  // MARK: Mutants

  @Test func `whatever happens to a pack, it is refused or comes out as it was`() throws {
    let image = try TestFiles.image("thin/snapshots").prefix(300 * 4096)
    let path = try scratch.file("image", Data(image))
    let packed = scratch.folder.appendingPathComponent("packed").path
    let sink = try ByteSink(to: packed)
    _ = try PackWriter(BlockFile(path, .read), includesDamaged: true).write(to: sink)
    try sink.commit()
    let good = try Data(contentsOf: URL(fileURLWithPath: packed))
    #expect(try unpacked(good) == image)
    var random = SeededRandom()
    for round in 0..<400 {
      var bytes = good
      switch random.number(0..<4) {
      case 0: bytes = bytes.prefix(random.number(0..<bytes.count))
      case 1:
        let places = [random.number(0..<bytes.count), random.number(0..<bytes.count)].sorted()
        bytes.removeSubrange(places[0]..<places[1] + 1)
      default:
        for _ in 0..<random.number(1...8) {
          bytes[random.number(0..<bytes.count)] = random.number(0...255)
        }
      }
      do throws(PackError) {
        _ = try PackFile(source(bytes)).verify()
      } catch {
        continue
      }
      #expect(try unpacked(bytes) == image, "seed \(random.seed), round \(round)")
    }
  }

  @Test func `mutated instructions under good sums make no wrong block`() throws {
    let block = Self.block(5, 3)
    let code = PackBuilder.literal(block[..<64]) + PackBuilder.literal(block[64...])
    var random = SeededRandom()
    for round in 0..<500 {
      var mutant = code
      for _ in 0..<random.number(1...3) {
        mutant[random.number(0..<min(mutant.count, 80))] = random.number(0...255)
      }
      let bytes = pack(mutant, number: 5, blockCount: 8)
      if try fault(bytes) == nil {
        let place: Comment = "seed \(random.seed), round \(round)"
        #expect(try unpacked(bytes)[5 * 4096..<6 * 4096] == block, place)
      }
    }
  }
}
