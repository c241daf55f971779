import PersistentData

/// How a block can lie with a checksum that fits.
package enum SealedLie: CaseIterable, Sendable {
  /// A bit was flipped before the checksum was made.
  case flippedBit
  /// It was meant for somewhere else.
  case misplaced
  /// A write was lost, and the older content is still there.
  case older
}

/// What a device has to lie with.
package struct LieSource {
  private let file: BlockFile
  /// Blocks of each kind, in use and not.
  private var inUse: [BlockKind: [MetadataBlock]] = [:]
  private var free: [BlockKind: [MetadataBlock]] = [:]

  package init(_ file: BlockFile, inUse blocks: [MetadataBlock]) throws {
    self.file = file
    let used = Set(blocks)
    for number in 1..<UInt32(file.blockCount) {
      let block = MetadataBlock(number)
      guard let kind = try file.withBlock(block, { BlockKind(of: $0) }) else { continue }
      if used.contains(block) {
        inUse[kind, default: []].append(block)
      } else {
        free[kind, default: []].append(block)
      }
    }
  }

  /// Puts a lie in the place of `block`; `false` where there is nothing to lie with.
  package func put(
    _ lie: SealedLie, into block: MetadataBlock, of target: BlockFile,
    _ random: inout SeededRandom
  ) throws -> Bool {
    guard let kind = try file.withBlock(block, { BlockKind(of: $0) }) else { return false }
    let others =
      switch lie {
      case .flippedBit: [block]
      case .misplaced: inUse[kind, default: []].filter { $0 != block }
      case .older: free[kind, default: []]
      }
    guard let source = others.randomElement(using: &random) else { return false }
    let buffer = BlockBuffer(blocks: 1)
    try buffer.read(file, from: UInt64(source.number), count: 1)
    // The part that is in use, so that the lie is one.
    let bit = random.number(32..<8 * 512)
    buffer.edit(0) { bytes in
      if lie == .flippedBit { bytes[Field<UInt8>(at: bit / 8)] ^= 1 << UInt8(bit % 8) }
      // Every kind but the array keeps its number in the same place.
      let place = kind == .array ? ArrayBlock.Layout.block : BTreeNode.Layout.block
      if lie != .flippedBit { bytes[place] = UInt64(block.number) }
      kind.seal(&bytes)
    }
    try buffer.write(target, to: UInt64(block.number), count: 1)
    return true
  }
}
