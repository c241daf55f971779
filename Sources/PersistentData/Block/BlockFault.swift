/// Why a block isn't the one expected at its place, judged by itself. All readers of bitmaps and
/// index blocks use this check.
///
/// Every kind of block that stores its own number stores it at the same offset. A matching checksum
/// shows that the block is intact; the number, that it was written for this place.
package enum BlockFault: Hashable, Sendable {
  /// Its checksum is that of another kind; `nil` when it fits none.
  case otherKind(BlockKind?)
  /// It gives this number as its own.
  case otherNumber(UInt64)

  /// `nil` when `bytes` are a block of this kind that was written for `block`.
  package init?(_ bytes: RawSpan, as kind: BlockKind, in block: MetadataBlock) {
    let found = BlockKind(of: bytes)
    guard found == kind else {
      self = .otherKind(found)
      return
    }
    let own = bytes[BTreeNode.Layout.block]
    if own == UInt64(block.number) { return nil }
    self = .otherNumber(own)
  }
}

extension Findings {
  /// Reports that the block of this kind expected in `block` isn't there.
  package mutating func report(
    _ fault: BlockFault, expected kind: BlockKind, in block: MetadataBlock, at site: Site
  ) {
    switch fault {
    case .otherKind(let found): reportKind(found, expected: kind, at: site)
    case .otherNumber(let own):
      report(.blockWrongNumber, at: site, found: own, expected: UInt64(block.number))
    }
  }
}
