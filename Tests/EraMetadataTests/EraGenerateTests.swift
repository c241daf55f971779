import EraMetadata
import PersistentData
import TestSupport
import Testing

/// Era metadata that is made up is sound, and has what was asked for.
@Suite struct EraGenerateTests {
  static let shapes: [EraShape] = [
    shape { _ in },
    shape { $0.blockCount = 0 },
    shape { ($0.currentEra, $0.writesets) = (0, 0) },
    shape { ($0.currentEra, $0.writesets) = (.max, 0) },
    shape { ($0.currentEra, $0.writesets) = (.max, 3) },
    shape { ($0.currentEra, $0.writesets, $0.blockCount) = (300, 300, 70) },
    shape { ($0.blockCount, $0.writtenPerMillion, $0.longestRun) = (300_000, 1_000_000, .max) },
    shape { ($0.blockCount, $0.writtenPerMillion, $0.longestRun) = (300_001, 500_000, 1) },
  ]

  private static func shape(_ change: (inout EraShape) -> Void) -> EraShape {
    var shape = EraShape()
    change(&shape)
    return shape
  }

  @Test(arguments: shapes)
  func `made metadata is sound, and as it was asked for`(shape: EraShape) throws {
    #expect(shape.problem == nil)
    let scratch = try Scratch()
    let generator = EraGenerator(shape)
    let path = try scratch.blank("era", bytes: Int(generator.roomyBlocks) * MetadataBlock.size)
    try generator.write(through: EraRestorer(BlockFile(path, .write)))
    let check = EraReport(of: try BlockFile(path, .read))
    #expect(check.findings.isEmpty, "\(check.findings.sorted)")
    let eras = try RecordedEras.of(path).eras
    #expect(eras.header?.blockCount == shape.blockCount)
    #expect(eras.header?.currentEra == shape.currentEra)
    #expect(UInt32(eras.writesets.count) == shape.writesets)
    let written = UInt64(shape.blockCount) * shape.writtenPerMillion / 1_000_000
    for (era, ranges) in eras.writesets {
      #expect(ranges.reduce(0) { $0 + UInt64($1.count) } == written, "era \(era)")
    }
    #expect(eras.eras.count == Int(shape.blockCount))
  }

  @Test func `what can't be is refused`() {
    let impossible = [
      Self.shape { $0.dataBlockSectors = 100 }, Self.shape { $0.dataBlockSectors = 0 },
      Self.shape { $0.writesets = 33 }, Self.shape { $0.blockCount = .max },
      Self.shape { $0.longestRun = 0 }, Self.shape { $0.writtenPerMillion = 1_000_001 },
    ]
    for shape in impossible { #expect(shape.problem != nil, "\(shape)") }
  }
}
