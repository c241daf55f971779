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

  @Test func `hints of no size are left out`() throws {
    let scratch = try Scratch()
    // More of them than fit in a block.
    let hints = (0..<3000).map { #"<hint cache_block="\#($0)" data="AQAAAA=="/>"# }
    let xml =
      #"<superblock uuid="" block_size="128" nr_cache_blocks="3000" policy="smq" hint_width="0">"#
      + "<mappings></mappings><hints>\(hints.joined(separator: "\n"))</hints></superblock>"
    let restored = try restore(try scratch.file("xml", Data(xml.utf8)), in: scratch)
    let check = CacheReport(of: try BlockFile(restored, .read))
    #expect(check.findings.isEmpty, "\(check.findings.sorted)")
    #expect(try !text(dump(restored, in: scratch)).contains("<hint "))
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

  /// A cache of random mappings and hints, by random stretches.
  private struct RandomStretches {
    let count: UInt64
    var values: [[UInt64]] = []
    var hints: [[UInt32]] = []
    var mapped = Bitset(bitCount: 0)
    var dirty = Bitset(bitCount: 0)

    init(_ random: inout SeededRandom) {
      count = random.number(1...3000)
      (mapped, dirty) = (Bitset(bitCount: Int(count)), Bitset(bitCount: Int(count)))
      var next: UInt64 = 0
      while next < count {
        let end = min(count, next + random.number(1...700))
        var (values, hints): ([UInt64], [UInt32]) = ([], [])
        for block in next..<end {
          mapped[block] = random.once(in: 3)
          // Values of other blocks, and dirty bits of them, don't count.
          dirty[block] = random.once(in: 2)
          let mapping = CacheMapping(
            originBlock: random.number(0...UInt64(1) << 40), isDirty: random.once(in: 2))
          values.append(mapping.value)
          hints.append(random.number(0...UInt32.max))
        }
        self.values.append(values)
        self.hints.append(hints)
        next = end
      }
    }

    /// Restores all of it: `asWhole`, stretch by stretch, or else mapping by mapping.
    func restore(to path: String, version: UInt32, asWhole: Bool) throws {
      var restorer = CacheRestorer(try BlockFile(path, .write))
      restorer.version = version
      try restorer.begin(
        CacheHeader(
          dataBlockSectors: 128, cacheBlockCount: UInt32(count), policy: "smq", hintSize: 4))
      var first: UInt64 = 0
      for values in values {
        if asWhole {
          try restorer.mappings(values, from: first, of: mapped, dirty: dirty)
        } else {
          for (index, value) in values.enumerated() where mapped[first + UInt64(index)] {
            let cacheBlock = first + UInt64(index)
            try restorer.mapping(
              CacheBlockMapping(
                cacheBlock: cacheBlock, originBlock: CacheMapping(value).originBlock,
                isDirty: dirty[cacheBlock]))
          }
        }
        first += UInt64(values.count)
      }
      try restorer.beginHints()
      first = 0
      for hints in hints {
        if asWhole {
          try restorer.hints(hints, from: first, of: mapped)
        } else {
          for (index, hint) in hints.enumerated() where mapped[first + UInt64(index)] {
            try restorer.hint(hint, of: first + UInt64(index))
          }
        }
        first += UInt64(hints.count)
      }
      try restorer.end()
    }
  }

  @Test(arguments: [1, 2] as [UInt32])
  func `stretches are restored as their mappings and hints are`(version: UInt32) throws {
    var random = SeededRandom()
    for _ in 0..<20 {
      let scratch = try Scratch()
      let stretches = RandomStretches(&random)
      let dumps = try [true, false].map { asWhole in
        let path = try scratch.blank("stretches-\(asWhole)", bytes: 1 << 20)
        try stretches.restore(to: path, version: version, asWhole: asWhole)
        #expect(CacheReport(of: try BlockFile(path, .read)).findings.isEmpty)
        return try text(dump(path, in: scratch))
      }
      #expect(dumps[0] == dumps[1], "seed \(random.seed)")
      let mappings = dumps[0].split(separator: "\n").filter { $0.contains("<mapping ") }
      #expect(mappings.count == stretches.mapped.count, "seed \(random.seed)")
      #expect(
        mappings.count { $0.contains("dirty=\"true\"") }
          == stretches.mapped.intersection(stretches.dirty).count, "seed \(random.seed)")
    }
  }

  @Test func `stretches that are out of place are refused`() throws {
    let scratch = try Scratch()
    let header = CacheHeader(
      dataBlockSectors: 128, cacheBlockCount: 8, policy: "smq", hintSize: 4)
    let value = CacheMapping(originBlock: 3, isDirty: true).value
    var all = Bitset(bitCount: 16)
    all.set(0...15)
    func restorer() throws -> CacheRestorer {
      var restorer = CacheRestorer(
        try BlockFile(try scratch.blank(UUID().uuidString, bytes: 1 << 20), .write))
      try restorer.begin(header)
      try restorer.mappings([value, 0, value], from: 2, of: all, dirty: all)
      return restorer
    }
    for first in [0, 4, 6, .max] as [UInt64] {
      var restorer = try restorer()
      #expect(throws: WriteError.self) {
        try restorer.mappings([value, value, value], from: first, of: all, dirty: all)
      }
    }
    for first in [6, 8] as [UInt64] {
      var restorer = try restorer()
      try restorer.beginHints()
      #expect(throws: WriteError.self) {
        try restorer.mappings([value], from: 7, of: all, dirty: all)
      }
      #expect(throws: WriteError.self) { try restorer.hints([1, 2, 3], from: first, of: all) }
    }
  }
}
