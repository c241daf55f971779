/// Finds where the blocks of an array belong when its index can't be read: array blocks don't store
/// their place.
///
/// Whatever isn't certain stays open. Certain are: an entry of a leaf still in use; what a replaced
/// leaf says, if what became of all blocks that it names bears it out; the last place, for the one
/// block with as few values; and, if every block in use is accounted for, the only place left for a
/// block, or the only block left for a place.
package struct ArrayPlacement: Sendable {
  /// How a place was found.
  package enum Evidence: Hashable, Sendable, CaseIterable {
    /// By a leaf in use: one that nothing led to any more, or a metadata snapshot's.
    case graftedLeaf
    /// By a leaf no longer in use.
    case oldLeaf
    /// No other block, or no other place, is possible.
    case exclusion
  }

  /// Blocks that were found, by place.
  package private(set) var found: [Int: MetadataBlock] = [:]
  package private(set) var evidence: [Evidence: Int] = [:]
  /// Places for which no block is certain, ascending.
  package private(set) var openPlaces: [Int] = []
  /// Blocks that belong in one of the open places; which one isn't known.
  package private(set) var openParts: [ArrayCensus.Part] = []
  /// Whether the block of every open place is certainly among the open parts.
  package let isComplete: Bool

  /// `parts`: unreferenced blocks that may belong to this array. `leaves`: those that may be of its
  /// index. `isComplete`: whether the block of every missing place is certainly among the parts.
  package init(
    _ index: ArrayIndex, _ parts: [ArrayCensus.Part], _ leaves: [ArrayCensus.Leaf],
    isComplete: Bool, contents: some ArrayContents
  ) {
    self.isComplete = isComplete
    openPlaces = index.missing
    openParts = parts
    var search = PlaceSearch(index, parts, contents)
    let inUse = index.others + leaves.filter(\.isInUse).flatMap(\.claims)
    take(search.claimed(by: inUse), as: .graftedLeaf)
    search.close(found)
    let old = leaves.filter { !$0.isInUse }.map(\.claims)
    if isComplete {
      take(search.borneOut(old, against: inUse + index.doubted), as: .oldLeaf)
      search.close(found)
    }
    take(search.excluded(isComplete: isComplete), as: .exclusion)
  }

  private mutating func take(_ places: [Int: ArrayCensus.Part], as kind: Evidence) {
    if places.isEmpty { return }
    for (place, part) in places { found[place] = part.block }
    evidence[kind, default: 0] += places.count
    let taken = Set(places.values.map(\.block))
    openPlaces.removeAll { places[$0] != nil }
    openParts.removeAll { taken.contains($0.block) }
  }
}

/// What the contents of an array's blocks say about where they belong.
package protocol ArrayContents {
  /// Whether a part's contents fit a place; the number of values is checked already.
  func fits(_ part: ArrayCensus.Part, _ place: Int) -> Bool

  /// The parts that may be what became of a block of the array, by what it still holds; `nil` if
  /// that is no block of such an array any more, or doesn't tell.
  func successors(of former: MetadataBlock) -> Set<MetadataBlock>?
}
