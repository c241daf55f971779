/// Finds where the blocks of an array belong when its index can't be read: array blocks don't store
/// their place.
///
/// Whatever isn't certain stays open. Certain are: an entry of a leaf still in use, or of a
/// replaced leaf that no other contradicts; the last place, for the one block with as few values;
/// and, if every block in use is accounted for, the only place left for a block, or the only block
/// left for a place.
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

  /// `parts`: unreferenced blocks that may belong to this array. `claims`: what leaves say about
  /// them. `isComplete`: whether the block of every missing place is certainly among the parts.
  /// `fits`: whether a part's contents fit a place; the number of values is checked already.
  package init(
    _ index: ArrayIndex, _ parts: [ArrayCensus.Part],
    _ claims: [(claim: ArrayIndex.Claim, isInUse: Bool)], isComplete: Bool,
    fits: @escaping (ArrayCensus.Part, Int) -> Bool
  ) {
    self.isComplete = isComplete
    openPlaces = index.missing
    openParts = parts
    var search = Search(index, parts, fits: fits)
    let inUse = index.others + claims.filter(\.isInUse).map(\.claim)
    take(search.claimed(by: inUse, and: []), as: .graftedLeaf)
    search.close(found)
    let all = index.others + claims.map(\.claim)
    take(search.claimed(by: all, and: index.doubted), as: .oldLeaf)
    search.close(found)
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

/// Places and parts that are still to be matched.
private struct Search {
  /// More pairs than this aren't tried, as their contents would have to be compared.
  private static let maxPairs = 1 << 18

  private let index: ArrayIndex
  private var places: [Int]
  private var parts: [ArrayCensus.Part]
  private let fits: (ArrayCensus.Part, Int) -> Bool

  init(
    _ index: ArrayIndex, _ parts: [ArrayCensus.Part],
    fits: @escaping (ArrayCensus.Part, Int) -> Bool
  ) {
    self.index = index
    self.parts = parts
    self.fits = fits
    places = index.missing
  }

  mutating func close(_ found: [Int: MetadataBlock]) {
    let taken = Set(found.values)
    places.removeAll { found[$0] != nil }
    parts.removeAll { taken.contains($0.block) }
  }

  /// Whether a part has exactly as many values as its place needs, and fits.
  private func isPossible(_ part: ArrayCensus.Part, _ place: Int) -> Bool {
    let shape = index.shape
    let range = shape.range(ofBlock: place, count: index.entryCount)
    let wanted = (range.count + shape.unitsPerValue - 1) / shape.unitsPerValue
    return part.entryCount == wanted && fits(part, place)
  }

  /// Parts for which all leaves that name them agree on one place, which no other part claims.
  /// `doubts`: claims that count against a place, but not for one.
  func claimed(
    by claims: [ArrayIndex.Claim], and doubts: [ArrayIndex.Claim]
  ) -> [Int: ArrayCensus.Part] {
    let byBlock = Dictionary(
      parts.map { (UInt64($0.block.number), $0) }, uniquingKeysWith: { first, _ in first })
    let missing = Set(places.map { UInt64($0) })
    var placesOf: [UInt64: Set<UInt64>] = [:]
    var blocksOf: [UInt64: Set<UInt64>] = [:]
    for claim in claims + doubts where byBlock[claim.block] != nil {
      placesOf[claim.block, default: []].insert(claim.place)
    }
    for claim in claims where byBlock[claim.block] != nil && missing.contains(claim.place) {
      blocksOf[claim.place, default: []].insert(claim.block)
    }
    var found: [Int: ArrayCensus.Part] = [:]
    for (place, blocks) in blocksOf where blocks.count == 1 {
      guard let block = blocks.first, placesOf[block]?.count == 1, let part = byBlock[block],
        isPossible(part, Int(place))
      else { continue }
      found[Int(place)] = part
    }
    return found
  }

  /// Pairs that are the only possible ones. `isComplete`: the block of every place is among the
  /// parts.
  func excluded(isComplete: Bool) -> [Int: ArrayCensus.Part] {
    guard isComplete, !places.isEmpty, places.count <= Search.maxPairs / max(1, parts.count)
    else { return [:] }
    var candidates = places.map { place in
      (place: place, parts: parts.indices.filter { isPossible(parts[$0], place) })
    }
    let useful = Set(candidates.flatMap(\.parts))
    // If so, every useful part has a place, too.
    let isEven = useful.count == places.count
    var found: [Int: ArrayCensus.Part] = [:]
    var isProgressing = true
    while isProgressing {
      isProgressing = false
      for (place, choices) in candidates where found[place] == nil {
        // Any of several equal parts will do.
        guard let part = choices.first,
          choices.allSatisfy({ parts[$0].contents == parts[part].contents })
        else { continue }
        settle(place, part, &found, &candidates)
        isProgressing = true
      }
      guard isEven, !isProgressing else { continue }
      var homes: [Int: [Int]] = [:]
      for (place, choices) in candidates {
        for part in choices { homes[part, default: []].append(place) }
      }
      guard let (part, places) = homes.first(where: { $0.value.count == 1 }) else { continue }
      settle(places[0], part, &found, &candidates)
      isProgressing = true
    }
    return found
  }

  private func settle(
    _ place: Int, _ part: Int, _ found: inout [Int: ArrayCensus.Part],
    _ candidates: inout [(place: Int, parts: [Int])]
  ) {
    found[place] = parts[part]
    for index in candidates.indices {
      candidates[index].parts =
        candidates[index].place == place
        ? [] : candidates[index].parts.filter { $0 != part }
    }
  }
}
