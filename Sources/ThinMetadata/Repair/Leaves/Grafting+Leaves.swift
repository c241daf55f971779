internal import PersistentData

extension Grafting {
  /// Works out what lost leaves stored, and puts what is accepted of it into remade leaves. Returns
  /// whether there are any.
  mutating func remakeLeaves(
    _ pool: PoolReading, _ census: BlockCensus
  ) -> Bool {
    let reader = pool.reader
    let metadata = Deficits(reader, census)
    // A leaf that could not be put back lacks the same data blocks as a lost one.
    guard !metadata.hasUnreached || nodes.allSatisfy(\.gaps.isEmpty) else { return false }
    guard let lost = LostLeaves(pool, rootsAreLeaves: !metadata.hasUnreached),
      lost.leaves.count <= Grafting.maxLeaves
    else { return false }
    let deficits = DataDeficits(pool)
    let superseded = SupersededLeaves(reader, census, lost.leaves, deficits) {
      metadata.isInUse($0)
    }
    var claims = LeafClaims(lost, deficits, Survivors(reader, of: deficits.shared))
    claims.add(superseded.copies)
    claims.fillUp()
    let result = claims.result
    lostLeaves = result
    var isAnyMade = false
    for leaf in result.leaves {
      let claims = leaf.claims(upTo: acceptance)
      if claims.isEmpty { continue }
      let contents = BTreeNode.make(
        .leaf, leaf.block, keys: claims.map(\.key), values: claims.map(\.mapping.value))
      reader.file.standIn(for: leaf.block, contents)
      isAnyMade = true
    }
    return isAnyMade
  }
}
