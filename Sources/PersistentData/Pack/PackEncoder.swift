/// Makes instructions from blocks.
///
/// A B-tree node becomes short: keys and values mostly follow each other, or lie near each other.
/// zlib does the rest.
enum PackEncoder {
  /// The most bytes that a block can take, its number included.
  static let longestBlock = 8192

  /// Writes a block's number, and the instructions that make it, to `code` from `offset` on, where
  /// there is room for `longestBlock` bytes; returns where they end.
  static func encode(
    _ block: RawSpan, _ number: UInt64, into code: inout MutableRawSpan, at offset: Int
  ) -> Int {
    var writer = InstructionWriter(code._mutatingExtracting(...), at: offset)
    writer.number(number)
    let start = writer.place
    if let arrays = NodeArrays(block) {
      encode(block, arrays, into: &writer)
      if writer.place - start <= MetadataBlock.size { return writer.place }
      writer.goBack(to: start)
    }
    writer.literal(block, from: 0, count: MetadataBlock.size)
    return writer.place
  }

  /// Where the keys and values of a possible node are; nothing is checked except that they fit.
  private struct NodeArrays {
    let capacity: Int
    let valueSize: Int
    let isLeaf: Bool

    /// `nil` if this isn't a node, or its arrays would not fit into the block.
    init?(_ block: RawSpan) {
      guard let kind = BTreeNode.Kind(rawValue: block[BTreeNode.Layout.flags]) else { return nil }
      let room = MetadataBlock.size - BTreeNode.Layout.size
      capacity = Int(block[BTreeNode.Layout.maxEntries])
      valueSize = Int(block[BTreeNode.Layout.valueSize])
      isLeaf = kind == .leaf
      guard capacity > 0, valueSize <= room, capacity <= room / (8 + valueSize) else { return nil }
    }
  }

  private static func encode(
    _ block: RawSpan, _ arrays: NodeArrays, into writer: inout InstructionWriter
  ) {
    writer.literal(block, from: 0, count: BTreeNode.Layout.size)
    let count = arrays.capacity
    var offset = BTreeNode.Layout.size
    writer.numbers(PackedWords(block, at: offset, count))
    offset += 8 * count
    if arrays.valueSize == 8 {
      if arrays.isLeaf {
        // In a mapping the data block is in the bits above the time.
        writer.split(count)
        writer.numbers(
          PackedWords(block, at: offset, count, shift: PackInstruction.lowerBits))
        writer.numbers(PackedWords(block, at: offset, count, mask: PackInstruction.lowerMask))
      } else {
        writer.numbers(PackedWords(block, at: offset, count))
      }
      offset += 8 * count
    }
    let rest = MetadataBlock.size - offset
    if rest > 0 { writer.literal(block, from: offset, count: rest) }
  }
}
