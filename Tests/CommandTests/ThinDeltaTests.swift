import Foundation
import TestSupport
import Testing

/// thin_delta: where two devices differ, against a plain model.
@Suite struct ThinDeltaTests {
  /// Virtual blocks that stand alike, with data blocks where these are told.
  struct Part: Hashable {
    let kind: String
    let begin: UInt64
    var length: UInt64
    var left: UInt64?
    var right: UInt64?
  }

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// What is right, block by block, put together.
  private func expected(
    _ left: [PoolText.Mapping], _ right: [PoolText.Mapping], withData: Bool
  ) -> [Part] {
    let (mine, theirs) = [left, right].map { side in
      Dictionary(side.map { ($0.virtual, $0.data) }) { first, _ in first }
    }.pair
    var parts: [Part] = []
    for block in Set(mine.keys).union(theirs.keys).sorted() {
      let (left, right) = (mine[block], theirs[block])
      let kind =
        right == nil
        ? "left_only" : left == nil ? "right_only" : left == right ? "same" : "different"
      if var last = parts.last, last.kind == kind, last.begin + last.length == block,
        !withData
          || last.left.map({ $0 + last.length }) == left
            && last.right.map({ $0 + last.length }) == right
      {
        last.length += 1
        parts[parts.count - 1] = last
      } else {
        parts.append(Part(kind: kind, begin: block, length: 1, left: left, right: right))
      }
    }
    return withData
      ? parts : parts.map { Part(kind: $0.kind, begin: $0.begin, length: $0.length) }
  }

  /// Reads one element a line, as scripts do.
  private func parts(_ text: String) -> [Part] {
    var kind = ""
    return text.split(separator: "\n").compactMap { line in
      if let match = line.wholeMatch(of: #/    <([a-z_]+) begin="(\d+)" length="(\d+)"/>/#) {
        return Part(
          kind: String(match.1), begin: UInt64(match.2) ?? 0, length: UInt64(match.3) ?? 0)
      }
      if let match = line.wholeMatch(of: #/    <([a-z_]+)>/#) { kind = String(match.1) }
      if let match = line.wholeMatch(
        of: #/      <range begin="(\d+)" data_begin="(\d+)" length="(\d+)"/>/#)
      {
        return Part(
          kind: kind, begin: UInt64(match.1) ?? 0, length: UInt64(match.3) ?? 0,
          left: kind == "right_only" ? nil : UInt64(match.2),
          right: kind == "left_only" ? nil : UInt64(match.2))
      }
      if let match = line.wholeMatch(
        of: #/      <range begin="(\d+)" left_data_begin="(\d+)" right_data_begin="(\d+)" .*/#)
      {
        return Part(
          kind: kind, begin: UInt64(match.1) ?? 0, length: length(line),
          left: UInt64(match.2), right: UInt64(match.3))
      }
      return nil
    }
  }

  /// The last attribute.
  private func length(_ line: Substring) -> UInt64 {
    line.wholeMatch(of: #/.* length="(\d+)"/>/#).flatMap { UInt64($0.1) } ?? 0
  }

  @Test(arguments: Images.names)
  func `every block is told as it is`(name: String) throws {
    let image = try Images.path(name)
    var random = SeededRandom()
    let schema = try SchemaValidator(schemaFile: TestFiles.schema("thin_delta"))
    for pool in try DevicePools.all(image) where !pool.ids.isEmpty {
      for _ in 0..<4 {
        let left = try #require(pool.ids.randomElement(using: &random))
        let right = try #require(pool.ids.randomElement(using: &random))
        let (mine, theirs) = (pool.mappings[left, default: []], pool.mappings[right, default: []])
        let sides = pool.options + ["--thin1", "\(left)", "--snap2", "\(right)", image]
        let place: Comment = "\(left) and \(right), seed \(random.seed)"
        let plain = try Program.run("thin_delta", sides)
        #expect(plain.status == 0)
        let simple = expected(mine, theirs, withData: false)
        #expect(parts(plain.text) == simple, place)
        let verbose = try Program.run("thin_delta", ["--verbose"] + sides)
        let detailed = expected(mine, theirs, withData: true)
        #expect(parts(verbose.text) == detailed, place)
        for option in [[], ["--verbose"]] {
          let short = try Program.run("thin_delta", option + ["--skip-same"] + sides)
          let all = option.isEmpty ? simple : detailed
          #expect(parts(short.text) == all.filter { $0.kind != "same" }, place)
        }
        let json = try Program.run("thin_delta", ["--format", "json"] + sides)
        #expect(schema.faults(in: json.output) == [])
        let ranges = try JSONValue(parsing: json.output)["ranges"]?.elements ?? []
        #expect(ranges.map { $0["begin"]?.integer } == detailed.map { Int($0.begin) }, place)
        let data = detailed.map { $0.right.map { Int($0) } }
        #expect(ranges.map { $0["right_data_begin"]?.integer } == data)
      }
    }
  }

  @Test(.enabled(if: Peer.old.isThere, Peer.old.absence), arguments: Images.names)
  func `the old form is that of the old tool`(name: String) throws {
    let image = try Images.path(name)
    let pool = try DevicePools.all(image)[0]
    for (left, right) in zip(pool.ids, pool.ids.dropFirst()).prefix(3) {
      for options in [[], ["--verbose"]] {
        let sides = ["--thin1", "\(left)", "--thin2", "\(right)"]
        let theirs = try Shell.run(
          TestFiles.root.appendingPathComponent(".peers/0.9.0/pdata_tools").path,
          ["thin_delta"] + options + sides + [image])
        let ours = try Program.run(
          "thin_delta", ["--compat", "0.9"] + options + sides + [image])
        if theirs.status == 0 { #expect(ours.text == theirs.text) }
        let newer = try Program.run("thin_delta", options + sides + [image])
        let plain = ours.text.replacing(#/ metadata_snap="\d+"/#, with: "").dropLast()
        #expect(newer.text.replacing(" flags=\"1\"", with: "") == plain)
      }
    }
  }

  @Test func `roots stand for devices, and for nothing else`() throws {
    let image = try Images.path("metadata-snapshot")
    let pools = try DevicePools.all(image)
    let roots = try Metadata.deviceRoots(of: image)
    let (top, details) = try Metadata.roots(of: image)
    let id = pools[0].ids[0]
    let byID = try Program.run("thin_delta", ["--thin1", "\(id)", "--thin2", "\(id)", image])
    let byRoot = try Program.run(
      "thin_delta", ["--root1", "\(roots[0])", "--thin2", "\(id)", image])
    #expect(byRoot.status == 0)
    #expect(
      byRoot.text
        == byID.text.replacing("left=\"\(id)\"", with: "left_root=\"\(roots[0])\""))
    for block in [0, top, details, 1 << 40] {
      let result = try Program.run(
        "thin_delta", ["--thin1", "\(id)", "--root2", "\(block)", image])
      #expect(result.status == 66, "\(block)")
      #expect(result.text.isEmpty)
    }
  }

  @Test func `what makes no sense is refused, and the missing side named`() throws {
    let image = try Images.path("snapshots")
    let refused: [([String], Int32, String)] = [
      (["--thin1", "0"], 64, "the right side is missing"),
      (["--snap2", "0"], 64, "the left side is missing"), ([], 64, "the left side is missing"),
      (["--thin1", "0", "--root1", "5", "--thin2", "2"], 64, "--thin1 can't be used with --root1"),
      (["--thin1", "x", "--thin2", "0"], 64, "x"),
      (["--thin1", "0", "--thin2", "9999"], 66, "there is no device 9999"),
      (["-m", "--thin1", "0", "--thin2", "0"], 66, "metadata snapshot"),
      (["--thin1", "0", "--thin2", "0", "--compat=0.9", "-fjson"], 64, "--compat"),
    ]
    for (options, status, text) in refused {
      let result = try Program.run("thin_delta", options + [image])
      #expect(result.status == status, "\(options)")
      #expect(result.text.isEmpty)
      #expect(result.errorText.contains(text), "\(result.errorText)")
    }
  }

  @Test func `damage ends it with a status of its own`() throws {
    let image = try scratch.withoutFirstLeaf("snapshots")
    let ids = try DevicePools.all(Images.path("snapshots"))[0].ids
    let results = try ids.map {
      try Program.run("thin_delta", ["--thin1", "\($0)", "--thin2", "\($0)", image])
    }
    #expect(results.contains { $0.status == 1 })
    for result in results where result.status == 1 {
      #expect(result.errorText.contains("the comparison is not complete"))
      #expect(!result.text.contains("</superblock>"))
    }
  }
}

extension Array {
  fileprivate var pair: (Element, Element) { (self[0], self[1]) }
}
