import EraMetadata
import Foundation
import PersistentData
import TestSupport
import Testing

/// Era devices that have lost their superblock, with blocks of all ages around the newest state:
/// the kernel has gone round the device several times.
struct LostEraSuperblockTests {
  private let scratch: Scratch
  private let states: [String]

  init() throws {
    let scratch = try Scratch()
    self.scratch = scratch
    states = try TestFiles.states("era/era-many-commits").enumerated().map {
      try scratch.file("state-\($0)", $1)
    }
  }

  /// What comes back; what only the superblock knew is given.
  private func found(_ path: String, _ header: EraHeader?) throws -> RecordedEras {
    try EditableImage.clear(block: 0, of: path)
    var overrides = EraOverrides()
    overrides.dataBlockSectors = header?.dataBlockSectors
    overrides.currentEra = header?.currentEra
    return try RecordedEras.salvaged(path, overrides).eras
  }

  @Test func `the last state is found`() throws {
    #expect(states.count == 60)
    for (turn, path) in states.enumerated() {
      let eras = try RecordedEras.of(path).eras
      let found = try found(path, eras.header)
      #expect(found.header == eras.header, "turn \(turn)")
      #expect(found.last == eras.last, "turn \(turn)")
    }
  }

  @Test func `a state that lacks a write that an older one has is not believed`() throws {
    let path = try #require(states.last)
    let sound = try Data(contentsOf: URL(fileURLWithPath: path))
    let (eras, reader) = try RecordedEras.of(path)
    var refused = 0
    for block in reader.live.eraArray.blocks.compactMap(\.self) {
      try sound.write(to: URL(fileURLWithPath: path))
      var isChanged = false
      try BlockFile(path, .write).editBlock(block, sealedAs: .array) { bytes in
        for index in 0..<1018 where bytes[ArrayBlock.field(index) as Field<UInt32>] > 0 {
          bytes[ArrayBlock.field(index) as Field<UInt32>] = 0
          isChanged = true
          break
        }
      }
      guard isChanged else { continue }
      do {
        _ = try found(path, eras.header)
      } catch EraSalvageError.newestStateUnknown {
        refused += 1
      }
    }
    #expect(refused > 0)
  }
}
