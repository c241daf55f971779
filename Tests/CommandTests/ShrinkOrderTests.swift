import Foundation
import TestSupport
import Testing

/// Whatever thin_shrink had written when it was stopped, or the power failed, every volume reads
/// the right bytes with the metadata that is then on the disk.
@Suite struct ShrinkOrderTests {
  /// A pool whose shrinking in place was traced.
  private struct Traced {
    let pool: DataPool
    let words: [String]
    let files: [String]
    let start: [Data]
    let trace: WriteTrace

    /// What is wrong with the disks, if anything is. A pool that the kernel would not even read
    /// counts as well.
    func fault(_ disks: [Data], _ scratch: Scratch) throws -> String? {
      let path = try scratch.file("state", disks[0])
      let check = try Program.check("-q", path)
      guard check.status == 0 else { return "the metadata is damaged" }
      return pool.fault(try Program.dump(path).output, on: disks[1])
    }
  }

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func traced(_ random: inout SeededRandom) throws -> Traced {
    let pool = DataPool(&random, blockCount: 90, usedShare: 6)
    let metadata = try pool.metadata(scratch, blocks: 96)
    let data = try scratch.file("data", pool.data)
    let start = try [metadata, data].map(Images.bytes)
    let words = [
      "--binary", "-i", metadata, "-o", metadata, "--data", data, "--nr-blocks",
      "\(pool.used.count + 3)",
    ]
    let (trace, result) = try WriteTrace.of(
      "thin_shrink", words, files: [metadata, data], in: scratch)
    try #require(result.status == 0, "seed \(random.seed): \(result.errorText)")
    let traced = Traced(
      pool: pool, words: words, files: [metadata, data], start: start, trace: trace)
    // Nothing went by another way.
    #expect(try traced.trace.disks(start, after: .max) == traced.files.map(Images.bytes))
    return traced
  }

  @Test func `killed anywhere, the pool reads right, and a second run ends well`() throws {
    var random = SeededRandom()
    let traced = try traced(&random)
    let events = traced.trace.events
    for file in traced.files.indices {
      #expect(events.contains { $0.isFlush && $0.file == file }, "seed \(random.seed)")
      #expect(events.contains { !$0.isFlush && $0.file == file }, "seed \(random.seed)")
    }
    for count in 0...events.count {
      let place: Comment = "seed \(random.seed), killed after \(count) of \(events.count)"
      let disks = traced.trace.disks(traced.start, after: count)
      #expect(try traced.fault(disks, scratch) == nil, place)
      guard count % 3 == 0 else { continue }
      for (path, bytes) in zip(traced.files, disks) {
        try bytes.write(to: URL(fileURLWithPath: path))
      }
      let again = try Program.run("thin_shrink", traced.words)
      #expect(again.status == 0, "\(place): \(again.errorText)")
      #expect(try traced.fault(traced.files.map(Images.bytes), scratch) == nil, place)
    }
  }

  @Test func `after a power cut anywhere the pool reads right`() throws {
    var random = SeededRandom()
    let traced = try traced(&random)
    for round in 0..<150 {
      let count = random.number(0...traced.trace.events.count)
      let disks = traced.trace.disks(traced.start, afterPowerCutAt: count, &random)
      #expect(
        try traced.fault(disks, scratch) == nil,
        "seed \(random.seed), round \(round), after \(count) of \(traced.trace.events.count)")
    }
  }

  /// Orders that would be wrong: the tests above would see them.
  @Test(arguments: ["no flush of the data", "no flush of the metadata", "metadata first"])
  func `a wrong order is noticed`(mistake: String) throws {
    var random = SeededRandom(seed: 5)
    let traced = try traced(&random)
    var trace = traced.trace
    switch mistake {
    case "no flush of the data": trace.events.removeAll { $0.isFlush && $0.file == 1 }
    case "no flush of the metadata": trace.events.removeAll { $0.isFlush && $0.file == 0 }
    default: trace.events.sort { $0.file < $1.file }
    }
    var faults = 0
    for count in 0...trace.events.count {
      for _ in 0..<6 {
        let disks = trace.disks(traced.start, afterPowerCutAt: count, &random)
        if try traced.fault(disks, scratch) != nil { faults += 1 }
      }
    }
    #expect(faults > 0)
  }
}
