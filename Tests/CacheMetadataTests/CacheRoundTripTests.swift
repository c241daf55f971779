import CacheMetadata
import Foundation
import PersistentData
import TestSupport
import Testing

/// Cache metadata written out and read back.
@Suite struct CacheRoundTripTests {
  private func dump(_ path: String, in scratch: Scratch) throws -> String {
    let output = scratch.folder.appendingPathComponent("dump-\(UUID().uuidString)").path
    var findings = Findings()
    let file = try BlockFile(path, .read)
    let superblock = try #require(
      CacheSuperblock.read(
        .superblock, of: file, at: CacheReader.Structure.superblock, into: &findings))
    var reader = CacheReader(file, superblock, findings: findings)
    let sink = try ByteSink(to: output)
    var writer = CacheTextWriter(sink)
    try CacheEmitter().emit(&reader, to: &writer)
    try sink.commit()
    return output
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
  }

  private func restore(
    _ xml: String, version: UInt32 = 2, omitsCleanShutdown: Bool = false, in scratch: Scratch
  ) throws -> String {
    let path = try scratch.blank("restored-\(UUID().uuidString)", bytes: 4 << 20)
    var restorer = CacheRestorer(try BlockFile(path, .write))
    restorer.version = version
    restorer.omitsCleanShutdown = omitsCleanShutdown
    _ = try CacheXMLReader.read(ByteSource(xml), into: restorer)
    return path
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/cache"), [1, 2] as [UInt32])
  func `what was dumped comes back, and is sound`(name: String, version: UInt32) throws {
    let image = try EditableImage(kernel: "cache/\(name)")
    let xml = try dump(image.path, in: image.scratch)
    let restored = try restore(xml, version: version, in: image.scratch)
    let check = CacheReport(of: try BlockFile(restored, .read))
    #expect(check.findings.isEmpty, "\(check.findings.sorted)")
    #expect(check.superblock?.isCleanShutdown == true)
    #expect(check.superblock?.version == version)
    var expected = try text(xml)
    // Without hints there is no size of them.
    if !expected.contains("<hints>") {
      expected = expected.replacing(#"hint_width="4""#, with: #"hint_width="0""#)
    }
    #expect(try text(dump(restored, in: image.scratch)) == expected)
  }

  @Test(arguments: ["cache-v1", "cache-v2"])
  func `after an unclean end every mapping is dirty, and there are no hints`(name: String) throws {
    let image = try EditableImage(kernel: "cache/\(name)")
    let clean = try text(dump(image.path, in: image.scratch))
    #expect(clean.contains(#"dirty="false""#))
    #expect(clean.contains("<hint "))
    try image.edit(.superblock, .cacheSuperblock) {
      $0[CacheSuperblock.Layout.flags] &= ~CacheSuperblock.cleanShutdownFlag
    }
    let crashed = try text(dump(image.path, in: image.scratch))
    let mappings = { (text: String) in
      text.split(separator: "\n").filter { $0.contains("<mapping ") }
    }
    #expect(mappings(crashed).count == mappings(clean).count)
    #expect(
      mappings(crashed)
        == mappings(clean).map {
          Substring($0.replacing(#"dirty="false""#, with: #"dirty="true""#))
        })
    #expect(!crashed.contains("<hint "))
  }

  @Test func `without the clean flag a kernel takes all that was restored for dirty`() throws {
    let image = try EditableImage(kernel: "cache/cache-v2")
    let xml = try dump(image.path, in: image.scratch)
    let restored = try restore(xml, omitsCleanShutdown: true, in: image.scratch)
    let check = CacheReport(of: try BlockFile(restored, .read))
    #expect(check.findings.isEmpty, "\(check.findings.sorted)")
    #expect(check.superblock?.isCleanShutdown == false)
    #expect(try !text(dump(restored, in: image.scratch)).contains(#"dirty="false""#))
  }

  @Test(arguments: [
    #"<mappings><mapping cache_block="9" origin_block="1" dirty="true"/></mappings>"#,
    #"<mappings><mapping cache_block="1" origin_block="1" dirty="perhaps"/></mappings>"#,
    #"<mappings><mapping cache_block="1" origin_block="281474976710656" dirty="true"/></mappings>"#,
    #"<hints><hint cache_block="1" data="AAA="/></hints>"#,
    #"<hints><hint cache_block="9" data="AAAAAA=="/></hints>"#,
  ]) func `XML that makes no sense is refused`(content: String) throws {
    let scratch = try Scratch()
    let xml =
      #"<superblock uuid="" block_size="128" nr_cache_blocks="9" policy="smq" hint_width="4">"#
      + content + "</superblock>"
    let path = try scratch.file("xml", Data(xml.utf8))
    #expect(throws: (any Error).self) { try restore(path, in: scratch) }
  }
}
