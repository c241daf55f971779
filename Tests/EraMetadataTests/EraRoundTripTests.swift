import EraMetadata
import Foundation
import PersistentData
import TestSupport
import Testing

/// Era metadata written out and read back, and which blocks it says were written.
@Suite struct EraRoundTripTests {
  private func reader(_ path: String) throws -> EraReader {
    var findings = Findings()
    let file = try BlockFile(path, .read)
    let superblock = try #require(
      EraSuperblock.read(
        .superblock, of: file, at: EraReader.Structure.superblock, into: &findings))
    return EraReader(file, superblock, findings: findings)
  }

  private func dump(_ path: String, isLogical: Bool = false, in scratch: Scratch) throws -> String {
    let output = scratch.folder.appendingPathComponent("dump-\(UUID().uuidString)").path
    var reader = try reader(path)
    var dump = EraEmitter()
    dump.isLogical = isLogical
    let sink = try ByteSink(to: output)
    var writer = EraTextWriter(sink)
    try dump.emit(&reader, to: &writer)
    try sink.commit()
    return output
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
  }

  private func restore(_ xml: String, in scratch: Scratch) throws -> String {
    let path = try scratch.blank("restored-\(UUID().uuidString)", bytes: 16 << 20)
    _ = try EraXMLReader.read(
      ByteSource(xml), into: EraRestorer(try BlockFile(path, .write)))
    return path
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/era"))
  func `what was dumped comes back, and is sound`(name: String) throws {
    let image = try EditableImage(kernel: "era/\(name)")
    let xml = try dump(image.path, in: image.scratch)
    let restored = try restore(xml, in: image.scratch)
    let check = EraReport(of: try BlockFile(restored, .read))
    #expect(check.findings.isEmpty, "\(check.findings.sorted)")
    #expect(try text(dump(restored, in: image.scratch)) == text(xml))
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/era"), [0, 1, 2, 3, 4, 5, 1000] as [UInt64])
  func `blocks written since an era are those of the dump`(name: String, era: UInt64) throws {
    let image = try EditableImage(kernel: "era/\(name)")
    var expected: Set<UInt64> = []
    // By lines, apart from our own reader of XML.
    var open: UInt64 = 0
    for line in try text(dump(image.path, in: image.scratch)).split(separator: "\n") {
      let numbers = line.split { !$0.isNumber }.compactMap { UInt64($0) }
      if line.contains("<writeset") { open = numbers[0] }
      if line.contains("<marked"), open >= era {
        expected.formUnion(numbers[0]..<numbers[0] + numbers[1])
      }
      if line.contains("<era block"), numbers[1] >= era { expected.insert(numbers[0]) }
    }
    var reader = try reader(image.path)
    let found = try WrittenBlocks(&reader, since: era, inSnapshot: false).blocks
    var blocks: Set<UInt64> = []
    found.forEachRange { blocks.formUnion($0) }
    #expect(blocks == expected)
  }

  @Test func `a logical dump has the last era of each block, and no writesets`() throws {
    let image = try EditableImage(kernel: "era/era-undigested")
    let whole = try text(dump(image.path, in: image.scratch))
    let logical = try text(dump(image.path, isLogical: true, in: image.scratch))
    #expect(whole.contains("<writeset"))
    #expect(!logical.contains("<writeset"))
    var last: [UInt64: UInt64] = [:]
    var open: UInt64 = 0
    for line in whole.split(separator: "\n") {
      let numbers = line.split { !$0.isNumber }.compactMap { UInt64($0) }
      if line.contains("<writeset") { open = numbers[0] }
      if line.contains("<marked") {
        for block in numbers[0]..<numbers[0] + numbers[1] {
          last[block] = max(last[block] ?? 0, open)
        }
      }
      if line.contains("<era block") { last[numbers[0]] = max(last[numbers[0]] ?? 0, numbers[1]) }
    }
    let said = logical.split(separator: "\n").filter { $0.contains("<era block") }.map { line in
      line.split { !$0.isNumber }.compactMap { UInt64($0) }
    }
    #expect(said.count == last.count)
    #expect(said.allSatisfy { last[$0[0]] == $0[1] })
  }

  @Test func `both spellings of a writeset are the same`() throws {
    let scratch = try Scratch()
    func xml(_ bits: String) -> String {
      """
      <superblock uuid="" block_size="128" nr_blocks="200" current_era="2">
        <writeset era="2" nr_bits="200">
      \(bits)
        </writeset>
        <era_array>
          <era block="7" era="1"/>
        </era_array>
      </superblock>
      """
    }
    let marked = xml(#"    <marked block_begin="62" len="5"/>"#)
    let bits = xml(
      (60..<70).map { #"    <bit block="\#($0)" value="\#((62..<67).contains($0))"/>"# }
        .joined(separator: "\n"))
    let dumps = try [marked, bits].map { xml in
      let path = try scratch.file(UUID().uuidString, Data(xml.utf8))
      return try text(dump(restore(path, in: scratch), in: scratch))
    }
    #expect(dumps[0] == dumps[1])
    #expect(dumps[0].contains(#"<marked block_begin="62" len="5"/>"#))
    #expect(dumps[0].contains(#"<era block="7" era="1"/>"#))
  }

  /// What was written in such an era isn't known, and a backup since then would miss it.
  @Test(arguments: [[1, 3], [2, 2], [1], [1, 2, 3], [3], [1, 2], [2], []])
  func `a writeset that is missing before the current era's is refused`(eras: [Int]) throws {
    let scratch = try Scratch()
    let xml =
      #"<superblock uuid="" block_size="128" nr_blocks="200" current_era="3">"#
      + eras.map { #"<writeset era="\#($0)" nr_bits="200"></writeset>"# }.joined()
      + "</superblock>"
    let path = try scratch.file("xml", Data(xml.utf8))
    if [[1, 2, 3], [3], [1, 2], [2], []].contains(eras) {
      let image = try restore(path, in: scratch)
      #expect(EraReport(of: try BlockFile(image, .read)).findings.isEmpty)
      // What nobody knows counts as written.
      var reader = try reader(image)
      let written = try WrittenBlocks(&reader, since: 3, inSnapshot: false).blocks
      let isMissing = !eras.isEmpty && !eras.contains(3)
      #expect(written.ranges == (isMissing ? [0...199] : []))
    } else {
      #expect(throws: (any Error).self) { try restore(path, in: scratch) }
    }
  }

  @Test(arguments: [
    #"<writeset era="4" nr_bits="9"></writeset>"#,
    #"<writeset era="1" nr_bits="9"><marked block_begin="5" len="5"/></writeset>"#,
    #"<writeset era="1" nr_bits="9"></writeset><writeset era="1" nr_bits="9"></writeset>"#,
    #"<era_array><era block="200" era="1"/></era_array>"#,
    #"<era_array><era block="1" era="4"/></era_array>"#,
    #"<era_array><era block="2" era="1"/><era block="1" era="1"/></era_array>"#,
  ]) func `XML that makes no sense is refused`(content: String) throws {
    let scratch = try Scratch()
    let xml =
      #"<superblock uuid="" block_size="128" nr_blocks="200" current_era="3">"# + content
      + "</superblock>"
    let path = try scratch.file("xml", Data(xml.utf8))
    #expect(throws: (any Error).self) { try restore(path, in: scratch) }
  }
}
