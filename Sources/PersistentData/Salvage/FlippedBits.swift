extension BlockFile {
  /// Makes array blocks with a single flipped bit read as if it were turned back.
  package func turnBackFlippedBits(_ blocks: [MetadataBlock]) {
    let blocks = Set(blocks).map(\.number).sorted()
    for visitor in BlockScan(self, blocks).run({ FlippedBitVisitor(blocks: blocks) }) {
      for (block, contents) in visitor.corrected { standIn(for: block, contents) }
    }
  }
}

private struct FlippedBitVisitor: BlockVisitor {
  let blocks: [UInt32]
  var corrected: [(MetadataBlock, BlockBuffer)] = []

  init(blocks: [UInt32]) { self.blocks = blocks }

  mutating func unreadable(_ index: Int, _ error: IOError) {}

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    let block = MetadataBlock(blocks[index])
    guard BlockKind(of: bytes) == nil,
      let contents = SingleBitError.corrected(bytes, as: .array),
      ArrayBlock(contents[0]).block == UInt64(block.number)
    else { return }
    corrected.append((block, contents))
  }
}
