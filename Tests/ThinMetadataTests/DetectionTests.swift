import Foundation
import PersistentData
import Synchronization
import TestSupport
import Testing
import ThinMetadata

/// Whether a check notices when a field of sound metadata is given another value.
@Suite struct DetectionTests {
  /// Kinds of changes that a check may say nothing of, and why: what comes out is metadata that a
  /// kernel or a tool could have written. Everything else is noticed.
  static let unnoticed: [String: String] = [
    "superblock.flags, needs_check": "both are states of a sound pool; it is noted when it is set",
    "superblock.uuid": "no kernel reads or writes it",
    "superblock.version 1": "kernels before 3.16 wrote it; later ones leave it and don't look",
    "superblock.time raised": "it counts snapshots, and all of them may have been deleted since",
    "superblock.transaction raised": "user space sets it, to whatever it likes",
    "superblock.transaction lowered": "the same, down to the newest device's",
    "superblock.data_block_size, possible": "only LVM or the table of the target has it as well",
    "superblock.metadata_nr_blocks lowered":
      "a device that has grown keeps the number of its format",
    "superblock.data_sm.nr_blocks raised":
      "the size of the data device stands nowhere else; a bitmap's spare slots don't tell",
    "superblock.data_sm.nr_blocks lowered": "the same, down to the highest block in use",
    "superblock.metadata_sm.nr_blocks lowered":
      "a kernel extends it when it next activates a device that has grown",
    "metadata snapshot.flags, needs_check": "the copy has the flags of its hour",
    "metadata snapshot.transaction lowered": "the pool's may have been raised since",
    "metadata snapshot.transaction raised": "up to the pool's it may be any",
    "details.transaction raised": "up to the pool's it may be any",
    "details.transaction lowered": "it is the pool's when the device was made, and stands alone",
    "details.creation_time raised": "up to the device's last snapshot it may be any",
    "details.creation_time lowered": "nothing else has the time at which a device was made",
    "details.snapshotted_time raised": "the snapshot may have been deleted since",
    "mapping leaf.key raised": "a gap between two keys may lie anywhere",
    "mapping leaf.key lowered": "a gap between two keys may lie anywhere",
    "details.snapshotted_time lowered, harmless":
      "down to the latest mapping that is shared; later snapshots may never have been",
    "mapping.time raised, harmless":
      "a block that is not shared, or still counts as shared, may have been mapped at any time",
    "mapping.time lowered": "a block may have been mapped at any time, and counts as shared then",
    "internal node.key lowered": "a key of a parent may lie anywhere between those of two children",
    "index.none_free_before lower": "it is a lower bound, and 0 is one",
    "index.none_free_before higher": "it is a lower bound, up to the first free entry",
    "index.nr_free without spare slots":
      "kernels count the last bitmap's spare slots, tools do not",
    "superblock, spare": nothingReads,
    "superblock.data_sm, spare": nothingReads,
    "superblock.metadata_sm, spare": nothingReads,
    "metadata snapshot, spare": nothingReads,
    "metadata snapshot.data_sm, spare": nothingReads,
    "metadata snapshot.metadata_sm, spare": nothingReads,
    "node, spare": nothingReads,
    "bitmap, spare": nothingReads,
    "metadata index, spare": nothingReads,
  ]

  private static let nothingReads = "nothing reads it, and kernels leave junk in some of it"

  private static let seed: UInt64 = 20_240_607
  private static let rounds = 2

  /// How often each kind of change was made, and how often nothing was said.
  private struct Tally {
    var made: [String: Int] = [:]
    var missed: [String: Int] = [:]
    var example: [String: String] = [:]
  }

  /// All kinds of changes, to all fixtures, on all cores.
  private static func tally() -> Tally {
    let names = TestFiles.fixtureNames("kernel/thin")
    let result = Mutex(Tally())
    DispatchQueue.concurrentPerform(iterations: names.count) { index in
      guard let own = try? tally(names[index], seed: seed &+ UInt64(index)) else { return }
      result.withLock { tally in
        tally.made.merge(own.made, uniquingKeysWith: +)
        tally.missed.merge(own.missed, uniquingKeysWith: +)
        tally.example.merge(own.example) { first, _ in first }
      }
    }
    return result.withLock { $0 }
  }

  private static func tally(_ name: String, seed: UInt64) throws -> Tally {
    var random = SeededRandom(seed: seed)
    var tally = Tally()
    let scratch = try Scratch()
    let sound = try MetadataImage(kernel: "thin/\(name)")
    // What a fixture has that is wrong would hide what is changed.
    guard try sound.check().findings.worst ?? .note == .note else { return tally }
    let path = try scratch.file("image", Data(sound.bytes))
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    for _ in 0..<rounds {
      for change in sound.fieldChanges(&random) {
        let start = Int(change.block) * MetadataBlock.size
        let block = Array(sound.bytes[start..<start + MetadataBlock.size])
        var changed = MetadataImage(block)
        changed.edit(0, as: change.kind, change.change)
        if changed.bytes == block { continue }
        try handle.seek(toOffset: UInt64(start))
        try handle.write(contentsOf: Data(changed.bytes))
        let report = try CheckReport(of: BlockFile(path, .read), CheckScope())
        try handle.seek(toOffset: UInt64(start))
        try handle.write(contentsOf: Data(block))
        tally.made[change.name, default: 0] += 1
        if report.findings.worst ?? .note == .note {
          tally.missed[change.name, default: 0] += 1
          tally.example[change.name] = "\(name), block \(change.block)"
        }
      }
    }
    return tally
  }

  @Test func `what goes unnoticed is known, each with a reason`() {
    let tally = DetectionTests.tally()
    for (name, count) in tally.missed.sorted(by: { $0.key < $1.key })
    where DetectionTests.unnoticed[name] == nil {
      Issue.record(
        "\(name): \(count) of \(tally.made[name] ?? 0), such as \(tally.example[name] ?? "")")
    }
    // A reason that nothing needs any more has to go.
    for name in DetectionTests.unnoticed.keys.sorted() {
      #expect(tally.missed[name] != nil, "\(name) is always noticed")
    }
    // What puts data at risk occurs, so that it is known to be noticed.
    for name in ["mapping.time raised, shared", "details.snapshotted_time lowered, shared"] {
      #expect(tally.made[name, default: 0] > 10, "\(name)")
    }
    #expect(tally.made.count > 100)
    #expect(tally.made.values.reduce(0, +) > 5_000)
  }
}
