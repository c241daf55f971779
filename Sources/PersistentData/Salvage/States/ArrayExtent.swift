/// The blocks of an array whose number of values isn't known.
package struct ArrayExtent: Sendable {
  /// By place; `nil` where the index has no usable block.
  package let blocks: [MetadataBlock?]
  /// Values that the blocks hold: all blocks are full but the last, which says how many it has. A
  /// last block that can't be read counts as full.
  package let count: UInt64
  /// Whether all of the index could be read, and it has every block up to the last.
  package let isWhole: Bool

  /// `valueSize`: bytes in a value.
  package init(below root: MetadataBlock, _ valueSize: Int, in file: BlockFile) {
    let shape = ArrayShape(StructureLabel("array", order: 0), valueSize: valueSize)
    var usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    var findings = Findings()
    let index = LeafContents(
      shape.indexTree, roots: [UInt64(root.number)], in: file, usage: &usage, findings: &findings
    ) { leaf, entry in leaf.value(entry) }
    let (entries, lost) = index.entries(below: UInt64(root.number))
    let end = min(entries.last.map { min($0.0, .max - 1) + 1 } ?? 0, usage.blockCount)
    var blocks = [MetadataBlock?](repeating: nil, count: Int(end))
    for (place, block) in entries where place < end {
      blocks[Int(place)] = MetadataBlock(pointer: block, count: usage.blockCount)
    }
    let full = UInt64(shape.valuesPerBlock)
    let last = blocks.last.flatMap { $0 }.flatMap { block in
      try? file.withBlock(block) { bytes -> UInt64? in
        BlockKind(of: bytes) == .array ? UInt64(ArrayBlock(bytes).entryCount) : nil
      }
    }
    count = end == 0 ? 0 : (end - 1) * full + min(last ?? full, full)
    self.blocks = blocks
    isWhole = lost.isEmpty && !blocks.contains(nil) && (last != nil || end == 0)
  }
}

extension ArrayExtent {
  /// Whether an array that was shrunk to `size` values can still have blocks for `count`: if `size`
  /// fills whole blocks, one more block is left behind.
  package static func canShrink(from count: UInt64, to size: UInt64, _ valueSize: Int) -> Bool {
    let full = UInt64(ArrayBlock.capacity(valueSize: valueSize))
    return size % full == 0 && count > size && count - size <= full
  }

  /// How many values the array has: `said`, the superblock's number, unless the array itself says
  /// otherwise and no witness contradicts it. Shrinking leaves a last block whose values all lie
  /// beyond the end.
  package func believed(_ said: UInt64, _ valueSize: Int, witness: UInt64?) -> UInt64 {
    let full = UInt64(ArrayBlock.capacity(valueSize: valueSize))
    let isShrunk = ArrayExtent.canShrink(from: count, to: said, valueSize)
    if !isWhole || isShrunk || witness == said { return said }
    // The last block's own count alone is no better evidence, but a number too high is safe.
    return witness == count || count > said || said - count > full ? count : said
  }
}

extension BTreeNode {
  /// The blocks that a node of an index or of a tree of small structs refers to; `nil` when it is
  /// not sound.
  ///
  /// `pointer`: where the block number is in a leaf's value of more than eight bytes.
  package func blockReferences(
    in block: MetadataBlock, pointer: (valueSize: Int, field: Field<UInt64>)? = nil
  ) -> [UInt64]? {
    guard isSound(in: block) else { return nil }
    if valueSize == BTreeNode.pointerSize { return (0..<entryCount).map { value($0) } }
    guard kind == .leaf, let pointer, pointer.valueSize == valueSize else { return [] }
    return (0..<entryCount).map { value($0, pointer.field) }
  }
}
