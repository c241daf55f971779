import EraMetadata
import PersistentData
import Testing

/// Era metadata as its events tell of it.
struct RecordedEras: EraEvents, Equatable {
  typealias Failure = Never

  var header: EraHeader?
  var eras: [UInt32] = []
  /// By era, the ranges that are set.
  var writesets: [UInt64: [Range<UInt64>]] = [:]
  private var open: UInt64 = 0

  mutating func begin(_ header: EraHeader) { self.header = header }
  mutating func beginWriteset(era: UInt64, bitCount: UInt32) {
    open = era
    writesets[era] = []
  }
  mutating func marked(_ blocks: Range<UInt64>) { writesets[open]?.append(blocks) }
  mutating func endWriteset() {}
  mutating func beginEraArray() {}
  mutating func era(_ era: UInt32, of block: UInt64) { eras.append(era) }
  mutating func endEraArray() {}
  mutating func end() {}

  /// By block: the last era in which it was written.
  var last: [UInt32] {
    var last = eras
    for (era, ranges) in writesets {
      for range in ranges {
        for block in range where block < UInt64(last.count) {
          last[Int(block)] = max(last[Int(block)], UInt32(era))
        }
      }
    }
    return last
  }

  /// What a sound image says.
  static func of(_ path: String) throws -> (eras: RecordedEras, reader: EraReader) {
    var findings = Findings()
    let file = try BlockFile(path, .read)
    let superblock = try #require(
      EraSuperblock.read(
        .superblock, of: file, at: EraReader.Structure.superblock, into: &findings))
    var reader = EraReader(file, superblock, findings: findings)
    var eras = RecordedEras()
    try EraEmitter().emit(&reader, to: &eras)
    return (eras, reader)
  }

  /// What a repair brings back of an image.
  static func salvaged(
    _ path: String, _ overrides: EraOverrides = EraOverrides()
  ) throws -> (eras: RecordedEras, salvage: EraSalvage) {
    let salvage = try EraSalvage(try BlockFile(path, .read, .salvage), overriding: overrides)
    var eras = RecordedEras()
    salvage.emit(to: &eras)
    return (eras, salvage)
  }
}
