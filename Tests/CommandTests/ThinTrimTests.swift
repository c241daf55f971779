import Foundation
import TestSupport
import Testing

/// thin_trim makes holes in a file just where a plain model has no mapping.
@Suite struct ThinTrimTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func trim(_ metadata: String, _ data: String, _ more: String...) throws -> Shell.Result {
    try Program.run("thin_trim", ["--metadata-dev", metadata, "--data-dev", data] + more)
  }

  @Test func `free blocks go, and nothing else`() throws {
    var random = SeededRandom()
    for round in 0..<6 {
      let pool = DataPool(&random, blockCount: random.number(40...90), usedShare: round + 2)
      let place: Comment = "seed \(random.seed), round \(round)"
      let metadata = try pool.metadata(scratch)
      let before = try Images.bytes(metadata)
      // More than the pool has is not the pool's.
      let beyond = Data(repeating: 7, count: 70_000)
      let data = try scratch.file("data", pool.data + beyond)
      let free = pool.blockCount - pool.used.count
      let trial = try trim(metadata, data, "--dry-run")
      #expect(trial.status == 0, place)
      #expect(trial.text.contains(", \(free) of \(pool.blockCount) blocks, in "), place)
      #expect(try Images.bytes(data) == pool.data + beyond, place)
      let result = try trim(metadata, data)
      #expect(result.status == 0, "\(place) \(result.errorText)")
      let wanted = (0..<UInt64(pool.blockCount)).reduce(into: Data()) {
        $0 +=
          pool.used.contains($1)
          ? DataPool.content($1) : Data(count: DataPool.blockBytes)
      }
      #expect(try Images.bytes(data) == wanted + beyond, place)
      #expect(try Images.bytes(metadata) == before, place)
    }
  }

  @Test func `what can't be discarded is named, and all the rest is given back`() throws {
    var random = SeededRandom()
    let pool = DataPool(&random, blockCount: 300, usedShare: 9)
    let place: Comment = "seed \(random.seed)"
    let metadata = try pool.metadata(scratch)
    let data = try scratch.file("data", pool.data)
    let free = (0..<UInt64(pool.blockCount)).filter { !pool.used.contains($0) }
    let bad = Set((0..<3).map { _ in free[random.number(0...free.count - 1)] })
    let perBlock = DataPool.blockBytes / 4096
    let result = try FailingReads.run(
      "thin_trim", ["--metadata-dev", metadata, "--data-dev", data],
      blocks: bad.map { Int($0) * perBlock + random.number(0...perBlock - 1) }, of: data)
    #expect(result.status == 74, place)
    for block in bad where !bad.contains(block &- 1) {
      let end = (block...).first { !bad.contains($0) } ?? block
      let bytes = UInt64(DataPool.blockBytes)
      #expect(
        result.errorText.contains("\(block * bytes) to \(end * bytes)"),
        "\(place), \(bad): \(result.errorText)")
    }
    let wanted = (0..<UInt64(pool.blockCount)).reduce(into: Data()) {
      $0 +=
        pool.used.contains($1) || bad.contains($1)
        ? pool.data.dropFirst(Int($1) * DataPool.blockBytes).prefix(DataPool.blockBytes)
        : Data(count: DataPool.blockBytes)
    }
    #expect(try Images.bytes(data) == wanted, place)
  }

  /// What is leaked is nobody's, and yet no free block.
  @Test func `leaked blocks stay`() throws {
    let image = try scratch.broken("snapshots", "data-count-high")
    let data = scratch.folder.appendingPathComponent("data").path
    #expect(FileManager.default.createFile(atPath: data, contents: nil))
    #expect(truncate(data, 65536 << 16) == 0)
    let result = try trim(image, data, "--dry-run")
    #expect(result.status == 0)
    #expect(result.errorText.contains("leaked"))
  }

  @Test func `what is damaged, too short or one and the same is refused`() throws {
    var random = SeededRandom(seed: 3)
    let pool = DataPool(&random, blockCount: 50, usedShare: 5)
    let metadata = try pool.metadata(scratch)
    let data = try scratch.file("data", pool.data)
    let short = try scratch.file("short", pool.data.dropLast())
    // The same by a name that does not tell.
    let copy = try scratch.file("copy", Images.bytes(metadata) + pool.data)
    let link = scratch.folder.appendingPathComponent("link").path
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: metadata)
    let damaged = try scratch.file("damaged", Images.bytes(metadata))
    try zero(block: Metadata.roots(of: damaged).mapping, of: damaged)
    for (words, status) in [
      ((metadata, short), 73), ((metadata, metadata), 73), ((metadata, link), 73),
      ((metadata, copy), 73),
      ((damaged, data), 1), ((data, data), 73), ((metadata, scratch.folder.path), 65),
    ] as [((String, String), Int32)] {
      let before = try [metadata, data, short].map(Images.bytes)
      let result = try trim(words.0, words.1)
      #expect(result.status == status, "\(words): \(result.errorText)")
      #expect(try [metadata, data, short].map(Images.bytes) == before, "\(words)")
    }
  }
}
