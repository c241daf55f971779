/// Why a block is not what its place calls for, as far as it tells by itself: the one judge of
/// bitmaps and index blocks, whoever reads one.
///
/// Every kind of block that has its own number keeps it in the same place. A checksum that fits
/// tells that the block was written by somebody; the number, that it was written for here.
package enum BlockFault: Hashable, Sendable {
  /// Its checksum makes it another kind; `nil` when it fits none.
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
  /// Reports a block that is not the one of this kind that belongs into `block`.
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
