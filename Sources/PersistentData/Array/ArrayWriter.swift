/// Writes an array from its values in order, blocks first, then the tree that leads to them.
package struct ArrayWriter<Value: NodeValue> {
  private let writer: BlockWriter
  private let capacity = ArrayBlock.capacity(valueSize: Value.encodedSize)
  /// Values not yet written, less than a block of them.
  private var values: [Value] = []
  private var index: TreeWriter<UInt64>
  private var blockCount: UInt64 = 0

  package init(_ writer: BlockWriter) {
    self.writer = writer
    index = TreeWriter(writer)
    values.reserveCapacity(capacity)
  }

  @_specialize(where Value == UInt32)
  @_specialize(where Value == UInt64)
  package mutating func push(_ value: Value) throws(IOError) {
    values.append(value)
    if values.count == capacity { try writeBlock() }
  }

  @_specialize(where Value == UInt32)
  @_specialize(where Value == UInt64)
  package mutating func push(_ some: [Value]) throws(IOError) {
    var start = 0
    while start < some.count {
      let end = min(start + capacity - values.count, some.count)
      if end - start == capacity {
        try append(write(some.span.extracting(start..<end)))
      } else {
        values += some[start..<end]
        if values.count == capacity { try writeBlock() }
      }
      start = end
    }
  }

  /// Adds the same value `count` times.
  @_specialize(where Value == UInt32)
  @_specialize(where Value == UInt64)
  package mutating func push(_ value: Value, count: UInt64) throws(IOError) {
    for _ in 0..<count { try push(value) }
  }

  /// Writes the rest and returns the root of the index: an empty leaf if there are no values.
  ///
  /// The caller counts the reference to the root.
  package mutating func finish() throws(IOError) -> MetadataBlock {
    if !values.isEmpty { try writeBlock() }
    return try index.finish()
  }

  private mutating func writeBlock() throws(IOError) {
    try append(write(values.span))
    values.removeAll(keepingCapacity: true)
  }

  @_specialize(where Value == UInt32)
  @_specialize(where Value == UInt64)
  private func write(_ values: Span<Value>) throws(IOError) -> MetadataBlock {
    try writer.append(.array) { block, bytes in
      bytes[ArrayBlock.Layout.maxEntries] = UInt32(capacity)
      bytes[ArrayBlock.Layout.entryCount] = UInt32(values.count)
      bytes[ArrayBlock.Layout.valueSize] = UInt32(Value.encodedSize)
      bytes[ArrayBlock.Layout.block] = UInt64(block.number)
      Value.encode(values, into: &bytes, at: ArrayBlock.Layout.size)
    }
  }

  private mutating func append(_ block: MetadataBlock) throws(IOError) {
    writer.references.increment(UInt64(block.number))
    try index.push(blockCount, UInt64(block.number))
    blockCount += 1
  }
}

/// Writes a bitset from ranges of bits that are set, ascending.
package struct BitsetWriter {
  private var words: ArrayWriter<UInt64>
  private var word: UInt64 = 0
  /// Words already handed on; `word` is the next one.
  private var wordCount: UInt64 = 0
  private let bitCount: UInt64

  /// `bitCount`: bits in the set, set or not.
  package init(_ writer: BlockWriter, bitCount: UInt64) {
    words = ArrayWriter(writer)
    self.bitCount = bitCount
  }

  /// Sets a bit below `bitCount`. Bits must be set in ascending order.
  package mutating func set(_ bit: UInt64) throws(IOError) {
    precondition(bit < bitCount)
    try advance(to: bit / 64)
    word |= 1 << (bit % 64)
  }

  /// Sets the bits of a range; see above.
  package mutating func set(_ range: Range<UInt64>) throws(IOError) {
    precondition(range.upperBound <= bitCount)
    var bit = range.lowerBound
    while bit < range.upperBound {
      try advance(to: bit / 64)
      let count = min(64 - bit % 64, range.upperBound - bit)
      word |= (.max >> (64 - count)) << (bit % 64)
      bit += count
    }
  }

  /// Sets the bits of a whole bitset, when none has been set yet.
  package mutating func set(_ bits: Bitset) throws(IOError) {
    precondition(bits.bitCount == bitCount && wordCount == 0 && word == 0)
    try words.push(bits.words)
    wordCount = UInt64(bits.words.count)
  }

  package mutating func finish() throws(IOError) -> MetadataBlock {
    try advance(to: bitCount / 64 + (bitCount % 64 == 0 ? 0 : 1))
    return try words.finish()
  }

  private mutating func advance(to index: UInt64) throws(IOError) {
    precondition(index >= wordCount)
    while wordCount < index {
      try words.push(word)
      word = 0
      wordCount += 1
    }
  }
}
