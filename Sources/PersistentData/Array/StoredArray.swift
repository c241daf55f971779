/// An array on disk: where each of its blocks lives, by its place in the array.
///
/// Its index tree has been read and its blocks counted; `readBlocks` reads their values, in
/// location order, all or a few at a time.
///
/// Source: Linux, drivers/md/persistent-data/dm-array.c.
package struct StoredArray: Sendable {
  package let shape: ArrayShape
  /// Entries of the array, bits of a bitset; anything beyond them is unused.
  package let entryCount: UInt64
  /// Where the blocks live, by place, up to the last known one; `nil` where the index has no usable
  /// block.
  package private(set) var blocks: [MetadataBlock?]
  /// Blocks whose values can't be read, by place; grows as blocks are read.
  package private(set) var damaged: Set<Int> = []
  /// Whether every block is known and none read so far is damaged.
  package var isWhole: Bool {
    damaged.isEmpty && !blocks.contains(nil)
      && UInt64(blocks.count) == shape.blockCount(for: entryCount)
  }

  private let file: BlockFile

  /// Whether blocks with a single flipped bit are read, now and later, as if it were turned back.
  fileprivate let correctsFlippedBits: Bool

  /// `blocks`: by place.
  package init(
    _ shape: ArrayShape, entryCount: UInt64, blocks: [MetadataBlock?], in file: BlockFile,
    correctingFlippedBits: Bool = false
  ) {
    correctsFlippedBits = correctingFlippedBits
    self.shape = shape
    self.entryCount = entryCount
    self.blocks = blocks
    self.file = file
  }

  /// Entries whose block can't be read, ascending.
  package var lost: [ClosedRange<UInt64>] {
    let unusable = blocks.indices.filter { blocks[$0] == nil || damaged.contains($0) }
    var lost = unusable.map { range(ofBlock: $0) }
    lost.append(min(entryCount, UInt64(blocks.count) * shape.entriesPerBlock)..<entryCount)
    return lost.filter { !$0.isEmpty }.map { $0.lowerBound...$0.upperBound - 1 }.joined
  }

  /// Drops blocks that another array of the same shape has at the same places.
  package mutating func forget(_ others: [MetadataBlock?]) {
    for place in blocks.indices where place < others.count && blocks[place] == others[place] {
      blocks[place] = nil
    }
  }

  /// The entries that the block at `place` holds.
  package func range(ofBlock place: Int) -> Range<UInt64> {
    shape.range(ofBlock: place, count: entryCount)
  }

  /// Values that the block at `place` must hold.
  func wantedCount(ofBlock place: Int) -> Int {
    let range = range(ofBlock: place)
    return (range.count + shape.unitsPerValue - 1) / shape.unitsPerValue
  }

  func site(ofBlock place: Int) -> Site {
    let range = range(ofBlock: place)
    return shape.site(
      block: blocks[place].map { UInt64($0.number) },
      keys: range.isEmpty ? nil : range.lowerBound...range.upperBound - 1)
  }

  /// Reads the blocks at `places`, all if `nil`, in location order and gives the sound ones to
  /// visitors, one per worker, which it returns. Faults are reported, and the block noted as
  /// damaged.
  package mutating func readBlocks<Visitor: ArrayVisitor>(
    _ places: Range<Int>? = nil, findings: inout Findings,
    _ makeVisitor: @Sendable () -> Visitor
  ) -> [Visitor] {
    let known = (places ?? blocks.indices).compactMap { place in
      blocks[place].map { (place: place, block: $0.number) }
    }.sorted { $0.block < $1.block }
    let array = self
    // No block is at two places: that has been reported, and only the first kept.
    let readers = BlockScan(file, known.map(\.block)).run {
      ArrayReader(array: array, places: known.map(\.place), visitor: makeVisitor())
    }
    for reader in readers {
      findings.merge(reader.findings)
      damaged.formUnion(reader.damaged)
      for (block, contents) in reader.corrected { file.standIn(for: block, contents) }
    }
    return readers.map(\.visitor)
  }
}

extension StoredArray {
  /// Reads all blocks only to report what is wrong with them.
  package mutating func verify(findings: inout Findings) {
    _ = readBlocks(findings: &findings) { IgnoringVisitor() }
  }
}

private struct IgnoringVisitor: ArrayVisitor {
  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {}
}

/// What is done with each sound block of an array.
package protocol ArrayVisitor: Sendable {
  /// `place`: which block of the array it is, from 0. `wanted`: how many of its values are in use.
  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int)
}

private struct ArrayReader<Visitor: ArrayVisitor>: BlockVisitor {
  let array: StoredArray
  let places: [Int]
  var visitor: Visitor
  var findings = Findings()
  var damaged: Set<Int> = []
  var corrected: [(MetadataBlock, BlockBuffer)] = []

  init(array: StoredArray, places: [Int], visitor: Visitor) {
    self.array = array
    self.places = places
    self.visitor = visitor
  }

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    let kind = BlockKind(of: bytes)
    let place = places[index]
    if array.correctsFlippedBits, kind == nil, let home = array.blocks[place],
      let contents = ArrayBlock.corrected(bytes, home: home)
    {
      corrected.append((home, contents))
      visit(place, contents[0], .array)
    } else {
      visit(place, bytes, kind)
    }
  }

  private mutating func visit(_ place: Int, _ bytes: RawSpan, _ kind: BlockKind?) {
    let array = array
    guard kind == .array, let home = array.blocks[place] else {
      findings.reportKind(kind, expected: .array, at: array.site(ofBlock: place))
      damaged.insert(place)
      return
    }
    let block = ArrayBlock(bytes)
    let wanted = array.wantedCount(ofBlock: place)
    guard
      block.check(
        home: home, shape: array.shape, wanted: wanted, at: array.site(ofBlock: place),
        into: &findings)
    else {
      damaged.insert(place)
      return
    }
    visitor.visit(place, block, wanted: wanted)
  }

  mutating func unreadable(_ index: Int, _ error: IOError) {
    let place = places[index]
    findings.report(
      .blockUnreadable, at: array.site(ofBlock: place), found: Evidence(words: error.description))
    damaged.insert(place)
  }
}
