/// Reads records, one after the other; each worker has one.
///
/// A record is read, inflated and made into blocks piece by piece, however long it is.
struct RecordReader {
  /// Bytes of instructions in memory: several times those of the longest block.
  private static let codeSize = 1 << 17
  /// Blocks written at a time.
  private static let runBlocks = 256

  private let target: PackTarget
  private var bytes: RecordBytes
  private var decoder = PackDecoder()
  private var code = [UInt8](repeating: 0, count: codeSize)
  /// Blocks that follow each other, to be written together: `runCount` from `runStart` on.
  private let run = BlockBuffer(blocks: runBlocks)
  private var runStart: UInt64 = 0
  private var runCount = 0

  init(_ source: PackSource, _ target: PackTarget) {
    self.target = target
    bytes = RecordBytes(source)
  }

  /// Reads one record and hands its blocks to the target.
  mutating func read(_ place: RecordPlace) -> Result<RecordContents, PackError> {
    if let error = place.error { return .failure(error) }
    do throws(RecordError) {
      return .success(try contents(place))
    } catch {
      runCount = 0
      switch error {
      case .fault(let fault): return .failure(.badRecord(offset: place.offset, fault: fault))
      case .input(let cause): return .failure(.input(cause))
      case .output(let cause): return .failure(.output(cause))
      }
    }
  }

  private mutating func contents(_ place: RecordPlace) throws(RecordError) -> RecordContents {
    bytes.begin(place.contents)
    let sound = try stream(ofSound: true)
    if bytes.count == 0 { return .sound(sound) }
    guard sound.count == 0 else { throw .fault(.bytesBehind) }
    let contents = try ownContents()
    guard bytes.count == 0 else { throw .fault(.bytesBehind) }
    return contents
  }

  /// Reads what follows an empty stream.
  private mutating func ownContents() throws(RecordError) -> RecordContents {
    let head = try bytes.take(PackLayout.ownMagic.count + 4)
    let number = head.rawBytes[Field<UInt32>(at: PackLayout.ownMagic.count)]
    guard head.starts(with: PackLayout.ownMagic),
      let kind = PackLayout.OwnRecord(rawValue: number)
    else { throw .fault(.unknownRecord) }
    switch kind {
    case .begin: return .begin
    case .damaged: return .damaged(try stream(ofSound: false))
    case .end:
      let numbers = try bytes.take(PackLayout.End.size)
      let fields = numbers.rawBytes
      return .end(
        sound: fields[PackLayout.End.soundCount], damaged: fields[PackLayout.End.damagedCount])
    }
  }

  // MARK: Blocks

  /// Hands on the blocks of a zlib stream. `ofSound`: they must have the checksums of metadata.
  private mutating func stream(ofSound: Bool) throws(RecordError) -> BlockTally {
    // Moved out of `self` while blocks are made from it.
    var code: [UInt8] = []
    swap(&code, &self.code)
    defer { swap(&code, &self.code) }
    bytes.beginStream()
    var blocks = BlockTally()
    var filled = 0
    var isAtEnd = false
    while !isAtEnd {
      isAtEnd = try bytes.inflate(into: &code, filled: &filled)
      // Unless the stream has ended, decode only while a whole block is sure to be there.
      let needed = isAtEnd ? 1 : PackLayout.lengthSize + PackDecoder.longestBlock
      var place = 0
      while filled - place >= needed {
        place = try block(
          code.rawBytes.extracting(..<filled), at: place, ofSound: ofSound, &blocks)
      }
      code.replaceSubrange(0..<filled - place, with: code[place..<filled])
      filled -= place
    }
    try writeRun()
    return blocks
  }

  /// Makes the block whose number is at `place`; returns where the next one's is.
  private mutating func block(
    _ code: RawSpan, at place: Int, ofSound: Bool, _ blocks: inout BlockTally
  ) throws(RecordError) -> Int {
    guard code.byteCount - place >= PackLayout.lengthSize else { throw .fault(.numberCutOff) }
    let number = code[Field<UInt64>(at: place)]
    guard number < target.blockCount else { throw .fault(.blockOutOfRange(number)) }
    if runCount == RecordReader.runBlocks || number != runStart + UInt64(runCount) {
      try writeRun()
      runStart = number
    }
    var next = place + PackLayout.lengthSize
    var fault: PackFault?
    run.edit(runCount) { bytes in
      do throws(PackFault) {
        next = try decoder.decode(number, code, at: next, into: &bytes)
      } catch {
        fault = error
      }
    }
    if let fault { throw .fault(fault) }
    if ofSound, BlockKind(of: run[runCount]) == nil { throw .fault(.badChecksum(block: number)) }
    target.add(number)
    blocks.add(number)
    if number == 0 {
      target.keep(superblock: run[runCount])
      runStart = 1
    } else if target.isWritten {
      runCount += 1
    }
    return next
  }

  private mutating func writeRun() throws(RecordError) {
    if runCount > 0 {
      do throws(IOError) { try target.write(run, runStart, runCount) } catch {
        throw .output(error)
      }
    }
    runCount = 0
  }
}
