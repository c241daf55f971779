import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What `thin_check --format json` says of damage, as the program says it.
@Suite struct DamageReportTests {
  /// Checks an image with both formats and holds one against the other.
  private func run(_ image: MetadataImage) throws -> CheckRun {
    let scratch = try Scratch()
    let path = try scratch.file("image", Data(image.bytes))
    let run = try CheckRun([path])
    run.expectAgreement(with: try Shell.run(TestFiles.program, ["thin_check", path]))
    return run
  }

  @Test(arguments: DamageCase.all)
  func `every kind of damage is told to programs as to people`(damage: DamageCase) throws {
    var image = try MetadataImage(kernel: damage.image)
    let site = try damage.damage(&image)
    let run = try run(image)
    let severities = Set(damage.consequences.union([damage.rule]).map(\.severity))
    #expect(
      run.verdict
        == (severities.contains(.error)
          ? "damaged" : severities.contains(.leak) ? "leaking" : "sound"))
    let own = try #require(run.findings.first { $0["rule"]?.string == damage.rule.rawValue })
    #expect(own["severity"]?.string == damage.rule.severity.name)
    #expect(own["mendable"] == .boolean(damage.rule.entry.isMendable))
    #expect(own["structure"]?.string == site.structure)
    #expect(own["device"] == site.device.map { .integer($0) })
    #expect(own["block"] == site.block.map { .integer($0) })
    #expect(own["entry"]?.integer == site.entry)
    #expect(own["range"]?["first"] == site.keys.map { .integer($0.lowerBound) })
    let last = site.keys.map(\.upperBound)
    #expect(own["range"]?["last"] == (last == .max ? nil : last.map { .integer($0) }))
  }

  @Test func `of a flood of findings the gravest are kept and the others counted`() throws {
    var image = try MetadataImage(kernel: "thin/three-levels")
    image.editRoot(of: image.dataMap) { $0.blockCount = 1_000 }
    let run = try run(image)
    #expect(run.findings.count >= Findings.kept)
    #expect(run.findings.contains { $0["severity"]?.string == "error" })
    #expect((run.leftOut ?? 0) > 0)
  }

  @Test(arguments: [
    (PoolReader.Structure.mapping.label, KeyUnit.virtualBlock),
    (PoolReader.Structure.details.label, .device),
    (PoolReader.Structure.topLevel.label, .device),
    (PoolReader.Structure.dataSpaceMap, .dataBlock),
    (PoolReader.Structure.metadataSpaceMap, .metadataBlock),
  ])
  func `a range says what it counts`(structure: StructureLabel, unit: KeyUnit) {
    #expect(structure.keyUnit == unit)
    let site = Site(structure, keys: 3...4)
    #expect("\(site)".hasSuffix(" \(unit.rawValue.replacing("_", with: " "))s 3..4"))
  }

  @Test func `what is no tree has no ranges`() {
    #expect(PoolReader.Structure.pool.label.keyUnit == nil)
    #expect(PoolReader.Structure.superblock.label.keyUnit == nil)
  }
}
