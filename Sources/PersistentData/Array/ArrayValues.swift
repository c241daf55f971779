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
    var values = [Value](repeating: 0, count: Int(last - first))
    var stretches: [(indices: Range<Int>, isKnown: Bool)] = []
    let known = places.clamped(to: array.blocks.indices)
    let visitors = array.readBlocks(known, findings: &findings) { Collector() }
    var end = 0
    for (place, block) in visitors.flatMap(\.blocks).sorted(by: { $0.place < $1.place }) {
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

  private struct Collector: ArrayVisitor {
    var blocks: [(place: Int, values: [Value])] = []

    @_specialize(where Value == UInt32)
    @_specialize(where Value == UInt64)
    mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
      var values: [Value] = []
      values.append(littleEndian: block.stored(wanted))
      blocks.append((place, values))
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
