import Foundation
import PersistentData
import TestSupport
import Testing

/// Trees written and read back, against the dictionary they came from.
@Suite struct TreeWriterTests {
  /// Numbers of entries round which leaves, and internal nodes, begin to differ.
  static let sizes =
    [0, 1, 2, 83, 84, 85, 167, 168, 251, 252, 253, 335, 336, 337, 503, 504, 505, 755, 756, 757]
    + [5000, 252 * 83, 252 * 84, 252 * 252, 252 * 252 + 1, 252 * 253 + 84, 70_000]

  @Test(arguments: sizes)
  func `a tree gives back what was put in`(size: Int) throws {
    var random = SeededRandom()
    let entries = randomEntries(size, &random) { $0.next() }
    try expectRead(entries, seed: random.seed, valueSize: 8) { leaf, index in leaf.value(index) }
  }

  @Test(arguments: sizes)
  func `counts of four bytes come back as well`(size: Int) throws {
    var random = SeededRandom()
    let entries = randomEntries(size, &random) { UInt32(truncatingIfNeeded: $0.next()) }
    try expectRead(entries, seed: random.seed, valueSize: 4) { leaf, index in
      leaf.value(index, Field<UInt32>(at: 0))
    }
  }

  @Test(arguments: [0, 1, 56, 167, 168, 169, 336, 337, 20_000])
  func `index entries come back as well`(size: Int) throws {
    var random = SeededRandom()
    let entries = randomEntries(size, &random) {
      IndexEntry(
        block: $0.next(), freeCount: UInt32(truncatingIfNeeded: $0.next()),
        noneFreeBefore: UInt32(truncatingIfNeeded: $0.next()))
    }
    try expectRead(entries, seed: random.seed, valueSize: 16) { leaf, index in
      IndexEntry(
        block: leaf.value(index, IndexEntry.Layout.block),
        freeCount: leaf.value(index, IndexEntry.Layout.freeCount),
        noneFreeBefore: leaf.value(index, IndexEntry.Layout.noneFreeBefore))
    }
  }

  @Test(arguments: sizes)
  func `entries pushed in runs make the same nodes as one by one`(size: Int) throws {
    var random = SeededRandom()
    let scratch = try Scratch()
    var nodes: [[WrittenNode]] = []
    let runs = randomRuns(size, &random)
    for inRuns in [true, false] {
      let writer = try BlockWriter(try output(scratch, "runs \(inRuns)"))
      var cutter = NodeCutter<UInt64>(.leaf)
      for (key, count) in runs {
        if inRuns {
          try cutter.push(keysFrom: key, count: count, valuesFrom: key << 24, step: 3, to: writer)
        } else {
          for index in 0..<count { try cutter.push(key + index, key << 24 + 3 * index, to: writer) }
        }
      }
      try cutter.flush(to: writer)
      nodes.append(cutter.nodes)
      try writer.finish(.thinSuperblock) { _ in }
    }
    #expect(nodes[0] == nodes[1], "seed \(random.seed)")
    let bytes = try [true, false].map {
      try Data(contentsOf: scratch.folder.appendingPathComponent("runs \($0)"))
    }
    #expect(bytes[0] == bytes[1], "seed \(random.seed)")
  }

  private func randomRuns(
    _ size: Int, _ random: inout SeededRandom
  ) -> [(key: UInt64, count: UInt64)] {
    var runs: [(key: UInt64, count: UInt64)] = []
    var next: UInt64 = 0
    var rest = UInt64(size)
    while rest > 0 {
      let count = min(rest, random.once(in: 2) ? random.number(1...4) : random.number(1...2000))
      next += random.number(0...3)
      runs.append((next, count))
      next += count
      rest -= count
    }
    return runs
  }

  private func randomEntries<Value>(
    _ size: Int, _ random: inout SeededRandom, _ value: (inout SeededRandom) -> Value
  ) -> [UInt64: Value] {
    var entries: [UInt64: Value] = [:]
    // Close together, or all over the range.
    let highest = random.once(in: 2) ? UInt64.max : UInt64(3 * size)
    while entries.count < size { entries[random.number(0...highest)] = value(&random) }
    return entries
  }

  private func output(_ scratch: Scratch, _ name: String) throws -> BlockFile {
    try BlockFile(try scratch.blank(name, bytes: 400 * MetadataBlock.size), .write)
  }

  /// Writes the entries, walks the tree, and wants the same entries, every node as it should be,
  /// and one reference to each node but the root.
  private func expectRead<Value: NodeValue & Equatable>(
    _ entries: [UInt64: Value], seed: UInt64, valueSize: Int,
    _ decode: @escaping @Sendable (BTreeNode, Int) -> Value
  ) throws {
    let scratch = try Scratch()
    let file = try output(scratch, "tree")
    let writer = try BlockWriter(file)
    var tree = TreeWriter<Value>(writer)
    for (key, value) in entries.sorted(by: { $0.key < $1.key }) { try tree.push(key, value) }
    let root = try tree.finish()
    try writer.finish(.thinSuperblock) { _ in }

    var findings = Findings()
    var usage = BlockUsage(blockCount: file.blockCount)
    var walk = TreeWalk(
      Tree(StructureLabel("tree", order: 0), leafValueSize: valueSize), roots: [TreeRoot(root)],
      in: file,
      usage: &usage, findings: &findings)
    let visitors = walk.readLeaves(findings: &findings) { EntryVisitor(decode: decode) }
    let read = visitors.flatMap(\.entries)
    #expect(findings.isEmpty, "\(findings.sorted), seed \(seed)")
    #expect(read.count == entries.count, "seed \(seed)")
    #expect(read.allSatisfy { entries[$0.0] == $0.1 }, "seed \(seed)")
    for block in 1..<writer.neededCount {
      let expected: UInt64 = block == UInt64(root.number) ? 0 : 1
      #expect(writer.references[block] == expected && usage.references[block] == expected)
    }
  }
}

private struct EntryVisitor<Value: Sendable>: LeafVisitor {
  let decode: @Sendable (BTreeNode, Int) -> Value
  var entries: [(UInt64, Value)] = []

  mutating func visit(_ leaf: BTreeNode, _ reference: NodeReference) {
    for index in 0..<leaf.entryCount { entries.append((leaf.key(index), decode(leaf, index))) }
  }
}
