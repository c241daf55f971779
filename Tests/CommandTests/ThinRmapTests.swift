import Foundation
import TestSupport
import Testing

/// thin_rmap: which devices map some data blocks, against a plain model.
@Suite struct ThinRmapTests {
  /// A line, ends left out.
  struct Line: Hashable {
    let data: Range<UInt64>
    let device: UInt64
    let virtualBegin: UInt64

    init(data: Range<UInt64>, device: UInt64, virtualBegin: UInt64) {
      self.data = data
      self.device = device
      self.virtualBegin = virtualBegin
    }

    init?(_ text: Substring) {
      guard
        let match = text.wholeMatch(of: /data (\d+)\.\.(\d+) -> thin\((\d+)\) (\d+)\.\.(\d+)/),
        let begin = UInt64(match.1), let end = UInt64(match.2), let device = UInt64(match.3),
        let virtual = UInt64(match.4), let virtualEnd = UInt64(match.5),
        virtualEnd - virtual == end - begin
      else { return nil }
      self.init(data: begin..<end, device: device, virtualBegin: virtual)
    }
  }

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// What is right: runs of each device as long as they go in the regions, in order.
  private func expected(_ pool: DevicePools, _ regions: [Range<UInt64>]) -> [Line] {
    var lines: [Line] = []
    for (device, mappings) in pool.mappings {
      var open: Line?
      for mapping in mappings where regions.contains(where: { $0.contains(mapping.data) }) {
        if let run = open, run.data.upperBound == mapping.data,
          run.virtualBegin + UInt64(run.data.count) == mapping.virtual
        {
          open = Line(
            data: run.data.lowerBound..<mapping.data + 1, device: device,
            virtualBegin: run.virtualBegin)
        } else {
          if let open { lines.append(open) }
          open = Line(
            data: mapping.data..<mapping.data + 1, device: device, virtualBegin: mapping.virtual)
        }
      }
      if let open { lines.append(open) }
    }
    return lines.sorted {
      ($0.data.lowerBound, $0.data.upperBound, $0.device, $0.virtualBegin)
        < ($1.data.lowerBound, $1.data.upperBound, $1.device, $1.virtualBegin)
    }
  }

  private func rmap(_ pool: DevicePools, _ regions: [Range<UInt64>], _ image: String) throws
    -> Shell.Result
  {
    let options = regions.flatMap { ["--region", "\($0.lowerBound)..\($0.upperBound)"] }
    return try Program.run("thin_rmap", pool.options + options + [image])
  }

  @Test(arguments: Images.names)
  func `all devices that map a block are listed`(name: String) throws {
    let image = try Images.path(name)
    var random = SeededRandom()
    for pool in try DevicePools.all(image) {
      let highest = pool.users.keys.max() ?? 0
      var cases: [[Range<UInt64>]] = [[0..<1 << 40], [highest + 1..<highest + 9]]
      for _ in 0..<4 {
        let starts = (0..<random.number(1...3)).map { _ in random.number(0...highest) as UInt64 }
        cases.append(starts.map { $0..<$0 + random.number(1...200) })
      }
      for regions in cases {
        let result = try rmap(pool, regions, image)
        #expect(result.status == 0)
        #expect(result.errorText.isEmpty)
        let lines = result.text.split(separator: "\n")
        let found = lines.compactMap(Line.init)
        #expect(found.count == lines.count)
        #expect(found == expected(pool, regions), "\(regions), seed \(random.seed)")
      }
    }
  }

  @Test(arguments: ["snapshots-of-snapshots", "metadata-snapshot", "ext4"])
  func `the document says what the lines say`(name: String) throws {
    let image = try Images.path(name)
    let schema = try SchemaValidator(schemaFile: TestFiles.schema("thin_rmap"))
    for pool in try DevicePools.all(image) {
      let result = try Program.run(
        "thin_rmap", pool.options + ["--region", "10..500", "--format", "json", image])
      #expect(schema.faults(in: result.output) == [])
      let document = try JSONValue(parsing: result.output)
      #expect(document["complete"] == .boolean(true))
      let lines = (document["mappings"]?.elements ?? []).map { run in
        func number(_ name: String) -> UInt64 { UInt64(run[name]?.integer ?? 0) }
        let begin = number("data_begin")
        return Line(
          data: begin..<begin + number("length"), device: number("device"),
          virtualBegin: number("virtual_begin"))
      }
      #expect(lines == expected(pool, [10..<500]))
    }
  }

  @Test func `a byte, or a sector, is found in every volume that has it`() throws {
    let image = try Images.path("snapshots")
    let pool = try DevicePools.all(image)[0]
    let names = try scratch.file(
      "names", Data(pool.ids.map { "volume\($0) \($0)\n" }.joined().utf8))
    let (block, users) = try #require(pool.users.max { $0.value.count < $1.value.count })
    #expect(users.count > 1)
    let byte = block * 65536 + 1024
    let lines = users.sorted().map { id in
      let virtual = pool.mappings[id, default: []].first { $0.data == block }?.virtual ?? 0
      return "byte \(byte) -> thin(\(id)) byte \(virtual * 65536 + 1024) volume\(id)\n"
    }
    for place in ["\(byte)", "\(byte / 512)s"] {
      let result = try Program.run(
        "thin_rmap", ["--byte-offset", place, "--names", names, image])
      #expect(result.status == 0)
      #expect(result.text == lines.joined())
    }
    let free = try #require((0...).first { pool.users[$0] == nil }) * 65536
    let nobody = try Program.run("thin_rmap", ["--byte-offset", "\(free)", image])
    #expect(nobody.status == 0)
    #expect(nobody.text.isEmpty)
    #expect(nobody.errorText == "No device has byte \(free) (data block \(free / 65536)).\n")
    let json = try Program.run(
      "thin_rmap", ["--byte-offset", "\(byte)", "--byte-offset=\(free)", "-fjson", image])
    let schema = try SchemaValidator(schemaFile: TestFiles.schema("thin_rmap"))
    #expect(schema.faults(in: json.output) == [])
    let found = try JSONValue(parsing: json.output)["byte_offsets"]?.elements ?? []
    #expect(found.map { $0["devices"]?.elements.count } == [users.count, 0])
  }

  @Test func `a volume's name does nothing to a terminal, and a list nothing to lines`() throws {
    let image = try Images.path("snapshots")
    let names = try scratch.file(
      "names", Data(#"{"lv_name":"a\n\u001b[31m", "thin_id":"0"}"#.utf8))
    let map = try Program.run("thin_rmap", ["--region", "0..1000", "--names", names, image])
    #expect(map.status == 0)
    #expect(map.text.contains(#" a\n\x1b[31m"# + "\n"))
    let list = try Program.run("thin_ls", ["--names", names, image])
    #expect(list.text.contains(#"a\n\x1b[31m"#))
    #expect(!(map.text + list.text).contains("\u{1B}"))
  }

  @Test func `what makes no sense is refused`() throws {
    let image = try Images.path("snapshots")
    let regions = [
      "0..-1", "0...1", "00", "5", "5..0", "5..5", "a..b", "..5", "5..", "+0..5", "",
      "0..18446744073709551616",
    ]
    for region in regions {
      let result = try Program.run("thin_rmap", ["--region", region, image])
      #expect(result.status == 64, "\(region)")
      #expect(result.text.isEmpty)
    }
    for place in ["", "s", "-1", "x", "36893488147419103232", "36028797018963968s"] {
      let result = try Program.run("thin_rmap", ["--byte-offset", place, image])
      #expect(result.status == 64, "\(place)")
    }
    let beyond = try Program.run("thin_rmap", ["--byte-offset", "1000000000000", image])
    #expect(beyond.status == 64)
    #expect(beyond.errorText.contains("beyond the data device"))
    #expect(try Program.run("thin_rmap", [image]).status == 64)
    #expect(
      try Program.run("thin_rmap", ["--region", "0..1", "--byte-offset", "0", image]).status == 64)
  }

  @Test func `damage is told, with the devices that it may hide`() throws {
    let image = try scratch.withoutFirstLeaf("snapshots")
    let result = try Program.run("thin_rmap", ["--region", "0..100000", image])
    #expect(result.status == 1)
    #expect(!result.text.isEmpty)
    #expect(result.errorText.contains("so mappings may be missing of "))
  }
}
