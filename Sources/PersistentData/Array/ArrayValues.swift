/// The values of some neighbouring blocks of an array, in order.
package struct ArrayValues<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: Sendable {
  /// The array entry of the first value.
  package let first: UInt64
  /// By entry, from `first` on; 0 where the block can't be read.
  package let values: [Value]
  /// Stretches of values that could be read, or could not, ascending; together they cover all
  /// values.
  package let stretches: [(indices: Range<Int>, isKnown: Bool)]

  /// Blocks to read at once: 256 KiB.
  package static var chunk: Int { 64 }

  /// The places of the array's blocks that these values come from.
  package func places(of shape: ArrayShape) -> Range<Int> {
    let start = Int(first / shape.entriesPerBlock)
    return start..<start + Int(shape.blockCount(for: UInt64(values.count)))
  }

  /// Reads the blocks at `places`, all of which must lie in the array.
  @_specialize(where Value == UInt32)
  @_specialize(where Value == UInt64)
  package init(
    _ array: inout StoredArray, _ places: Range<Int>, findings: inout Findings
  ) {
    let shape = array.shape
    first = UInt64(places.lowerBound) * shape.entriesPerBlock
    let last = array.range(ofBlock: places.upperBound - 1).upperBound
    let known = places.clamped(to: array.blocks.indices)
    let count = Int(last - first)
    let collectors = array.readBlocks(known, findings: &findings) { Collector(count) }
    // Mostly one worker had all of them, in order.
    if collectors.count == 1, collectors[0].holdsAll(from: places.lowerBound, count) {
      values = collectors[0].values
      stretches = [(0..<values.count, true)]
      return
    }
    var values = [Value](repeating: 0, count: count)
    var stretches: [(indices: Range<Int>, isKnown: Bool)] = []
    let blocks = collectors.flatMap { collector in
      collector.blocks.map { (place: $0.place, values: collector.values[$0.indices]) }
    }
    var end = 0
    for (place, block) in blocks.sorted(by: { $0.place < $1.place }) {
      let start = Int(UInt64(place) * shape.entriesPerBlock - first)
      if start > end { stretches.append((end..<start, false)) }
      end = start + block.count
      stretches.append((start..<end, true))
      values.replaceSubrange(start..<end, with: block)
    }
    if end < values.count { stretches.append((end..<values.count, false)) }
    self.values = values
    self.stretches = stretches
  }

  /// Keeps the values of the blocks it is given, one after the other.
  private struct Collector: ArrayVisitor {
    private(set) var blocks: [(place: Int, indices: Range<Int>)] = []
    private(set) var values: [Value] = []

    /// For up to `count` values.
    init(_ count: Int) { values.reserveCapacity(count) }

    @_specialize(where Value == UInt32)
    @_specialize(where Value == UInt64)
    mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
      let start = values.count
      values.append(littleEndian: block.stored(wanted))
      blocks.append((place, start..<values.count))
    }

    /// Whether these are the blocks from `first` on, in order, with `count` values in all.
    func holdsAll(from first: Int, _ count: Int) -> Bool {
      values.count == count
        && blocks.enumerated().allSatisfy { index, block in block.place == first + index }
    }
  }
}

extension StoredArray {
  /// Gives all values to `body`, some thousands at a time, in order; stops at the first error that
  /// `body` throws. `Value` must have the size of the array's values, and each value must be one
  /// entry.
  package mutating func forEachChunk<Value, Failure: Error>(
    of: Value.Type, findings: inout Findings,
    _ body: (ArrayValues<Value>, Findings) throws(Failure) -> Void
  ) throws(Failure)
  where Value: FixedWidthInteger & BitwiseCopyable & Sendable {
    let count = Int(clamping: shape.blockCount(for: entryCount))
    var start = 0
    while start < count {
      let end = min(start + ArrayValues<Value>.chunk, count)
      let values = ArrayValues<Value>(&self, start..<end, findings: &findings)
      try body(values, findings)
      start = end
    }
  }
}
