/// What a record holds.
enum RecordContents: Sendable {
  case sound(BlockTally)
  /// Blocks without a known checksum.
  case damaged(BlockTally)
  case begin
  case end(sound: UInt64, damaged: UInt64)
}

/// Adds records up, and checks that none is missing if the file says how many blocks it holds.
struct RecordOrder {
  private(set) var contents = PackContents()
  private var recordCount = 0
  private var needsEnd = false
  private var hasEnd = false

  mutating func add(_ record: RecordContents) throws(PackError) {
    if hasEnd { throw .incomplete }
    switch record {
    case .sound(let blocks): contents.sound.add(blocks)
    case .damaged(let blocks): contents.damaged.add(blocks)
    case .begin:
      if recordCount > 0 { throw .incomplete }
      needsEnd = true
    case .end(let sound, let damaged):
      guard needsEnd, sound == contents.sound.count, damaged == contents.damaged.count
      else { throw .incomplete }
      hasEnd = true
    }
    recordCount += 1
  }

  func end() throws(PackError) {
    if needsEnd, !hasEnd { throw .incomplete }
  }
}
