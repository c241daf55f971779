import Foundation
import TestSupport
import Testing

@Suite struct FixtureTests {
  @Test func `every fixture has a row in the table, and every row a fixture`() throws {
    let files = try SourceTree.paths("fixtures").filter { $0 != "fixtures/README.md" }
    let rows = try FixtureTable.rows().map { "fixtures/\($0.path)" }
    #expect(files.sorted() == rows.sorted())
    #expect(rows.count > 30)
  }

  @Test func `every row says what made the fixture, and the script is there`() throws {
    for row in try FixtureTable.rows() {
      #expect(!row.shows.isEmpty && !row.verdict.isEmpty, "\(row.path)")
      let script = try #require(row.maker.firstMatch(of: /`([^`]+\.sh)`/), "\(row.path)")
      let path = TestFiles.root.appendingPathComponent("Tests/Kernel/scenarios/\(script.output.1)")
      #expect(FileManager.default.fileExists(atPath: path.path), "\(row.path)")
    }
  }
}
