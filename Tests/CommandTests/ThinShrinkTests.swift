import Foundation
import TestSupport
import Testing

/// thin_shrink against a plain model: every volume reads the same bytes afterwards.
@Suite struct ThinShrinkTests {
  enum Mode: String, CaseIterable {
    case xml, binary, inPlace
  }

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private struct Files {
    let input: String
    let output: String
    let data: String

    var all: [Data] { get throws { try [input, output, data].map(Images.bytes) } }
  }

  private func files(_ pool: DataPool, _ mode: Mode) throws -> Files {
    let metadata = try pool.metadata(scratch)
    let data = try scratch.file("data", pool.data)
    switch mode {
    case .xml:
      let xml = try scratch.file("in.xml", Program.dump(metadata).output)
      return Files(input: xml, output: try scratch.file("out.xml", Data("old".utf8)), data: data)
    case .binary:
      return Files(
        input: metadata, output: try scratch.blank("new", bytes: 1 << 20), data: data)
    case .inPlace: return Files(input: metadata, output: metadata, data: data)
    }
  }

  private func shrink(
    _ files: Files, _ mode: Mode, to count: Int, _ more: [String] = []
  ) throws -> Shell.Result {
    try Program.run(
      "thin_shrink",
      (mode == .xml ? [] : ["--binary"]) + [
        "-i", files.input, "-o", files.output, "--data", files.data, "--nr-blocks", "\(count)",
      ] + more)
  }

  /// The result as XML, after all checks that there are of it.
  private func result(_ files: Files, _ mode: Mode) throws -> Data {
    if mode == .xml { return try Images.bytes(files.output) }
    #expect(try Program.check("-q", files.output).status == 0)
    #expect(try Peer.complaining(about: files.output).isEmpty)
    return try Program.dump(files.output).output
  }

  @Test(arguments: Mode.allCases)
  func `volumes read the same, from no block beyond the end`(mode: Mode) throws {
    var random = SeededRandom()
    for round in 0..<8 {
      let pool = DataPool(&random, blockCount: random.number(30...120), usedShare: 6)
      let count = random.number(max(1, pool.used.count)...pool.blockCount)
      let place: Comment =
        "seed \(random.seed), round \(round), from \(pool.blockCount) to \(count)"
      let files = try files(pool, mode)
      let before = try files.all
      let trial = try shrink(files, mode, to: count, ["--dry-run"])
      #expect(trial.status == 0, place)
      #expect(try files.all == before, place)
      let result = try shrink(files, mode, to: count)
      #expect(result.status == 0, "\(place): \(result.errorText)")
      let dump = try self.result(files, mode)
      #expect(pool.fault(dump, on: try Images.bytes(files.data)) == nil, place)
      #expect(PoolText(dump).pool["nr_data_blocks"] == "\(count)", place)
      let places = PoolText(dump).devices.values.flatMap { $0.mappings.map(\.data) }
      #expect(places.allSatisfy { $0 < count }, place)
      // Blocks that several volumes have are one block still.
      #expect(Set(places).count == pool.used.count, place)
      if mode != .inPlace {
        #expect(try Images.bytes(files.input) == before[0], place)
        let old = mode == .xml ? before[0] : try Program.dump(files.input).output
        #expect(pool.fault(old, on: try Images.bytes(files.data)) == nil, place)
      }
      let moved = pool.used.count { $0 >= count }
      if mode == .inPlace, count == pool.blockCount { continue }
      #expect("\n\(result.text)".contains("\nmoved \(moved) block"), "\(place): \(result.text)")
      // What may be lost is said where it can't be overlooked.
      #expect(result.errorText.contains("metadata snapshot") == (mode == .xml), place)
    }
  }

  @Test(arguments: Mode.allCases)
  func `what can't be is refused, and nothing is changed`(mode: Mode) throws {
    var random = SeededRandom(seed: 11)
    let pool = DataPool(&random, blockCount: 60, usedShare: 6)
    let good = try files(pool, mode)
    let short = try scratch.file("short", pool.data.dropLast())
    let used = pool.used.count
    for (files, count, words) in [
      (good, used - 1, "\(used) data blocks are in use"),
      (good, pool.blockCount + 1, "would be more"),
      (Files(input: good.input, output: good.output, data: short), 55, "too short"),
      (Files(input: good.input, output: good.data, data: good.data), 55, "same device"),
    ] {
      let before = try good.all
      let result = try shrink(files, mode, to: count)
      #expect(result.status == 73, "\(words): \(result.errorText)")
      #expect(result.errorText.contains(words), "\(result.errorText)")
      #expect(try good.all == before, "\(words)")
    }
    #expect(try shrink(good, mode, to: 0).status == 64)
  }

  @Test func `a second run goes on where the first was stopped`() throws {
    var random = SeededRandom(seed: 21)
    let pool = DataPool(&random, blockCount: 100, usedShare: 5)
    let files = try files(pool, .binary)
    let count = pool.used.count + 2
    let moved = pool.used.count { $0 >= count }
    let first = try shrink(files, .binary, to: count)
    #expect(first.status == 0 && !first.text.contains("earlier run"))
    let data = try Images.bytes(files.data)
    let second = try shrink(files, .binary, to: count)
    #expect(second.status == 0)
    #expect(second.text.contains("\(moved) of \(moved) blocks had been copied"))
    #expect(try Images.bytes(files.data) == data)
  }

  @Test func `without copying, the data stays as it is`() throws {
    var random = SeededRandom(seed: 31)
    let pool = DataPool(&random, blockCount: 80, usedShare: 6)
    for mode in Mode.allCases {
      let files = try files(pool, mode)
      let result = try shrink(files, mode, to: pool.used.count, ["--no-copy"])
      #expect(result.status == 0)
      #expect(result.text.contains("No data is copied") && result.errorText.isEmpty)
      #expect(try Images.bytes(files.data) == pool.data)
      let places = PoolText(try self.result(files, mode)).mappings.values.joined().map(\.data)
      #expect(Set(places).count == pool.used.count && places.allSatisfy { $0 < pool.used.count })
    }
  }

  @Test func `a block that can't be read is named, and the old metadata stays right`() throws {
    var random = SeededRandom(seed: 41)
    let pool = DataPool(&random, blockCount: 80, usedShare: 6)
    let count = pool.used.count
    let lost = try #require(pool.used.filter { $0 >= count }.min())
    for mode in Mode.allCases {
      let files = try files(pool, mode)
      let before = try files.all
      let result = try FailingReads.run(
        "thin_shrink",
        (mode == .xml ? [] : ["--binary"]) + [
          "-i", files.input, "-o", files.output, "--data", files.data, "--nr-blocks", "\(count)",
        ], blocks: [Int(lost) * 16 + 3], of: files.data)
      #expect(result.status == 74)
      #expect(result.errorText.contains("(data blocks \(lost))"), "\(result.errorText)")
      #expect(try Images.bytes(files.input) == before[0])
      #expect(try Images.bytes(files.output) == before[1])
      let old = mode == .xml ? before[0] : try Program.dump(files.input).output
      #expect(pool.fault(old, on: try Images.bytes(files.data)) == nil)
    }
  }

  @Test func `metadata that must not be moved away from is refused`() throws {
    let data = scratch.folder.appendingPathComponent("data").path
    #expect(FileManager.default.createFile(atPath: data, contents: nil))
    #expect(truncate(data, 1 << 40) == 0)
    let full = try scratch.file("full", Images.bytes(Images.path("snapshots")).prefix(1 << 20))
    for (image, words) in [
      (try scratch.copy("metadata-snapshot"), "metadata snapshot"),
      (try scratch.broken("snapshots", "data-count-high"), "leaked"),
      (try scratch.withoutFirstLeaf("snapshots"), "damaged"), (full, "damaged"),
    ] {
      let before = try Images.bytes(image)
      let result = try Program.run(
        "thin_shrink",
        ["--binary", "-i", image, "-o", image, "--data", data, "--nr-blocks", "9000"])
      #expect([1, 73].contains(result.status), "\(words): \(result.errorText)")
      #expect(result.errorText.contains(words), "\(result.errorText)")
      #expect(try Images.bytes(image) == before)
    }
  }

  @Test func `in place needs room beside the old metadata, and says how much`() throws {
    var random = SeededRandom(seed: 51)
    let pool = DataPool(&random, blockCount: 80, usedShare: 6)
    let metadata = try pool.metadata(scratch, blocks: 18)
    let data = try scratch.file("data", pool.data)
    let before = try [metadata, data].map(Images.bytes)
    let result = try Program.run(
      "thin_shrink",
      ["--binary", "-i", metadata, "-o", metadata, "--data", data, "--nr-blocks", "70"])
    #expect(result.status == 73)
    #expect(
      result.errorText.contains(/that takes \d+ free blocks of 4 KiB, and .* has \d+\./))
    #expect(try [metadata, data].map(Images.bytes) == before)
  }
}
