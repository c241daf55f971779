/// Places of an array and blocks of it that are still to be matched.
struct PlaceSearch<Contents: ArrayContents> {
  /// More pairs than this aren't tried, as their contents would have to be compared.
  private static var maxPairs: Int { 1 << 18 }

  private let index: ArrayIndex
  private(set) var places: [Int]
  private(set) var parts: [ArrayCensus.Part]
  let contents: Contents

  init(_ index: ArrayIndex, _ parts: [ArrayCensus.Part], _ contents: Contents) {
    self.index = index
    self.parts = parts
    self.contents = contents
    places = index.missing
  }

  mutating func close(_ found: [Int: MetadataBlock]) {
    let taken = Set(found.values)
    places.removeAll { found[$0] != nil }
    parts.removeAll { taken.contains($0.block) }
  }

  /// Whether a part has exactly as many values as its place needs, and fits.
  func isPossible(_ part: ArrayCensus.Part, _ place: Int) -> Bool {
    let shape = index.shape
    let range = shape.range(ofBlock: place, count: index.entryCount)
    let wanted = (range.count + shape.unitsPerValue - 1) / shape.unitsPerValue
    return part.entryCount == wanted && contents.fits(part, place)
  }

  var partsByBlock: [UInt64: ArrayCensus.Part] {
    Dictionary(
      parts.map { (UInt64($0.block.number), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Parts for which all claims agree on one place, which no other part is claimed for.
  /// `doubts`: claims that count against a place, but not for one.
  func claimed(
    by claims: [ArrayIndex.Claim], against doubts: [ArrayIndex.Claim] = []
  ) -> [Int: ArrayCensus.Part] {
    let byBlock = partsByBlock
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

  /// Parts for which old leaves, each given by its claims, show a place, and don't contradict each
  /// other. `doubts`: claims that count against a place, but not for one.
  func borneOut(
    _ leaves: [[ArrayIndex.Claim]], against doubts: [ArrayIndex.Claim]
  ) -> [Int: ArrayCensus.Part] {
    if places.isEmpty { return [:] }
    var old = OldLeaves(self)
    for leaf in leaves { old.add(leaf) }
    return claimed(by: Array(old.claims), against: doubts)
  }

  /// Pairs that are the only possible ones. `isComplete`: the block of every place is among the
  /// parts.
  func excluded(isComplete: Bool) -> [Int: ArrayCensus.Part] {
    guard isComplete, !places.isEmpty, places.count <= Self.maxPairs / max(1, parts.count)
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
