/// The ref counts of metadata blocks as stored in the space map: evidence of what damaged blocks
/// referred to.
package struct StoredCounts: Sendable {
  private let counts: [UInt32?]
  /// Whether the count of every block is known.
  package let isComplete: Bool

  /// Nothing is known.
  package static let none = StoredCounts(counts: [], isComplete: false)

  private init(counts: [UInt32?], isComplete: Bool) {
    self.counts = counts
    self.isComplete = isComplete
  }

  package init(_ map: StoredSpaceMap) {
    counts = map.readCounts()
    isComplete = !counts.isEmpty && !counts.contains(nil)
  }

  /// The count of a block, 0 beyond the space map's end; `nil` where it isn't known.
  package subscript(block: UInt32) -> UInt32? {
    if Int(block) < counts.count { return counts[Int(block)] }
    return counts.isEmpty ? nil : 0
  }
}

extension BlockFile {
  /// Whether the checksum of a block fits any kind.
  package func hasSoundBlock(_ block: MetadataBlock) -> Bool {
    (try? withBlock(block) { BlockKind(of: $0) != nil }) ?? false
  }
}
