import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What the check says of kernel-made images is what fixtures/README.md says it has to.
@Suite struct FixtureVerdictTests {
  @Test(arguments: try FixtureTable.thinImages() + FixtureTable.faultyThinImages())
  func `a kernel-made image gets its verdict`(row: FixtureTable.Row) throws {
    let image = try MetadataImage(kernel: row.imageName ?? "")
    let report = try image.check()
    let counts = report.findings.counts
    let expected = try #require(FixtureVerdict(row.verdict), "can't read '\(row.verdict)'")
    #expect(counts == expected.counts, "\(row.path): \(report.findings.sorted)")
    #expect(report.isComplete)
    #expect(report.damage.isEmpty)
  }

  @Test func `verdicts were found for all thin images there are`() throws {
    let names = try FixtureTable.thinImages().compactMap(\.imageName)
    #expect(names.sorted() == TestFiles.fixtureNames("kernel/thin").map { "thin/\($0)" })
    let faulty = try FixtureTable.faultyThinImages().compactMap(\.imageName)
    #expect(!faulty.isEmpty)
    #expect(
      faulty.sorted() == TestFiles.fixtureNames("kernel/thin-faulty").map { "thin-faulty/\($0)" })
  }

  @Test func `every prefix of a device's writes is sound from the first superblock on`() throws {
    let log = try WriteLog(TestFiles.unpacked("kernel/thin/log-writes.log.xz"))
    var checked = 0
    try log.forEachImage(blocks: 512) { image, entry in
      let report = try image.check()
      let notes = report.findings.counts.keys.filter { $0.severity > .note }
      #expect(notes.isEmpty, "after entry \(entry): \(report.findings.sorted)")
      #expect(report.isComplete)
      checked += 1
    }
    // Each commit ends with a superblock, so this is more than a few.
    #expect(checked > 100)
    let last = try MetadataImage(kernel: "thin/log-writes")
    log.forEachImage(blocks: 512) { image, entry in
      if entry == log.entryCount - 1 { #expect(image.differingBlocks(last).isEmpty) }
    }
  }
}
