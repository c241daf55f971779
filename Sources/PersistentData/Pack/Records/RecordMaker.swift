/// Makes the records of some blocks; each worker has one.
struct RecordMaker {
  /// What was made from a range of blocks.
  struct Made: Sendable {
    /// Whole records, one after the other; empty if all blocks are zeroes.
    var bytes: [UInt8] = []
    var sound = BlockTally()
    var damaged = BlockTally()
    var unreadable = BlockTally()
    /// Why the first unreadable one could not be read.
    var error: IOError?
  }

  /// Blocks read at a time.
  private static let readBlocks = 128
  /// Instructions that zlib gets at a time, in bytes.
  private static let codeSize = 1 << 16

  private let file: BlockFile
  private let includesDamaged: Bool
  private let buffer = BlockBuffer(blocks: readBlocks)
  private var sound = Stream()
  /// Made when first needed.
  private var damaged: Stream?
  private var made = Made()

  /// Instructions on their way into a stream.
  private struct Stream {
    let deflater = Deflater()
    var code = [UInt8](repeating: 0, count: codeSize + PackEncoder.longestBlock)
    var count = 0

    mutating func append(_ block: RawSpan, _ number: UInt64) {
      count = code.edit { PackEncoder.encode(block, number, into: &$0, at: count) }
      if count > codeSize { flush() }
    }

    mutating func finish(into record: inout [UInt8]) {
      flush()
      deflater.finish(into: &record)
    }

    private mutating func flush() {
      deflater.append(code.rawBytes.extracting(..<count))
      count = 0
    }
  }

  init(_ file: BlockFile, includesDamaged: Bool) {
    self.file = file
    self.includesDamaged = includesDamaged
  }

  /// Reads the blocks and makes their records.
  mutating func make(_ blocks: Range<UInt64>) -> Made {
    made = Made()
    var first = blocks.lowerBound
    while first < blocks.upperBound {
      let count = Int(min(blocks.upperBound - first, UInt64(RecordMaker.readBlocks)))
      add(first, count)
      first += UInt64(count)
    }
    if made.sound.count > 0 {
      made.bytes += [UInt8](repeating: 0, count: PackLayout.lengthSize)
      sound.finish(into: &made.bytes)
      RecordMaker.end(&made.bytes, from: 0)
    }
    if includesDamaged, made.damaged.count > 0 {
      let start = made.bytes.count
      RecordMaker.begin(&made.bytes, own: .damaged)
      damaged?.finish(into: &made.bytes)
      RecordMaker.end(&made.bytes, from: start)
    }
    file.progress.advance(blocks.count)
    return made
  }

  private mutating func add(_ first: UInt64, _ count: Int) {
    let buffer = buffer
    do throws(IOError) {
      try buffer.read(file, from: first, count: count)
      for index in 0..<count { add(buffer[index], first + UInt64(index)) }
    } catch {
      // One by one, so that only unreadable blocks are left out.
      for number in first..<first + UInt64(count) { addAlone(number) }
    }
  }

  private mutating func addAlone(_ number: UInt64) {
    let buffer = buffer
    do throws(IOError) {
      try buffer.read(file, from: number, count: 1)
      add(buffer[0], number)
    } catch {
      made.unreadable.add(number)
      made.error = made.error ?? error
    }
  }

  private mutating func add(_ block: RawSpan, _ number: UInt64) {
    if BlockKind(of: block) != nil {
      sound.append(block, number)
      made.sound.add(number)
    } else if !block.isZero {
      made.damaged.add(number)
      if includesDamaged {
        if damaged == nil { damaged = Stream() }
        damaged?.append(block, number)
      }
    }
  }

  // MARK: Records

  /// Appends the start of an own record.
  static func begin(_ bytes: inout [UInt8], own kind: PackLayout.OwnRecord) {
    bytes += [UInt8](repeating: 0, count: PackLayout.lengthSize)
    bytes += PackLayout.emptyStream + PackLayout.ownMagic
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: kind.rawValue >> (8 * $0)) }
  }

  /// Stores the length of the record at `start` in its first field.
  static func end(_ bytes: inout [UInt8], from start: Int) {
    let length = UInt64(bytes.count - start - PackLayout.lengthSize)
    bytes.edit { $0[Field<UInt64>(at: start)] = length }
  }
}

extension RawSpan {
  /// Whether the block is all zeroes.
  fileprivate var isZero: Bool {
    for offset in stride(from: 0, to: byteCount, by: 8) where self[Field<UInt64>(at: offset)] != 0 {
      return false
    }
    return true
  }
}
