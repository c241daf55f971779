/// What leaves of an array's index that are no longer in use say about missing places.
///
/// That an old leaf names a block in use proves nothing: since then the block may have been freed
/// and written again, for another place of the same array. Other blocks that old leaves name can
/// bear it out, as long as they still hold what they held.
struct OldLeaves<Contents: ArrayContents> {
  /// What became of a block that an old leaf names.
  private enum Fate {
    case inUse
    /// It holds an older state of one of these parts, which are all possible at the place.
    case replaced(by: Set<UInt64>)
    case unknown
  }

  private struct Witness {
    let claim: ArrayIndex.Claim
    let fate: Fate
  }

  private let search: PlaceSearch<Contents>
  private let parts: [UInt64: ArrayCensus.Part]
  private let missing: Set<UInt64>
  /// More former blocks than this aren't compared with all parts: that would take too long.
  private let maxFormers: Int
  /// By former block.
  private var successors: [MetadataBlock: Set<MetadataBlock>?] = [:]
  private var seen: Set<[ArrayIndex.Claim]> = []

  /// What leaves say that can be believed.
  private var believed: Set<ArrayIndex.Claim> = []
  /// By place: blocks that are named for it and in use.
  private var named: [UInt64: Set<UInt64>] = [:]
  /// By place: blocks that alone can hold what another block did that was named for it.
  private var shown: [UInt64: Set<UInt64>] = [:]

  init(_ search: PlaceSearch<Contents>) {
    self.search = search
    parts = search.partsByBlock
    missing = Set(search.places.map { UInt64($0) })
    maxFormers = (1 << 20) / max(1, search.parts.count)
  }

  /// Where blocks belong: what leaves say that can be believed, and blocks that are named for a
  /// place and also hold what was there before, if nothing names or shows another block there.
  var claims: Set<ArrayIndex.Claim> {
    var claims = believed
    for (place, blocks) in named where blocks.count == 1 && shown[place] == blocks {
      for block in blocks { claims.insert(ArrayIndex.Claim(place: place, block: block)) }
    }
    return claims
  }

  mutating func add(_ leaf: [ArrayIndex.Claim]) {
    guard seen.insert(leaf).inserted else { return }
    var witnesses: [Witness] = []
    for claim in leaf where missing.contains(claim.place) {
      let fate = fate(of: claim)
      witnesses.append(Witness(claim: claim, fate: fate))
      switch fate {
      case .inUse: named[claim.place, default: []].insert(claim.block)
      case .replaced(let blocks) where blocks.count == 1:
        shown[claim.place, default: []].formUnion(blocks)
      case .replaced, .unknown: break
      }
    }
    believed.formUnion(believe(witnesses))
  }

  private mutating func fate(of claim: ArrayIndex.Claim) -> Fate {
    let place = Int(claim.place)
    if let part = parts[claim.block] { return search.isPossible(part, place) ? .inUse : .unknown }
    guard let former = MetadataBlock(pointer: claim.block, count: MetadataBlock.maximumCount)
    else { return .unknown }
    if successors[former] == nil, successors.count <= maxFormers {
      successors[former] = .some(search.contents.successors(of: former))
    }
    guard let found = successors[former] ?? nil else { return .unknown }
    let numbers = found.map { UInt64($0.number) }
    return .replaced(
      by: Set(
        numbers.filter { number in
          parts[number].map { search.isPossible($0, place) } ?? false
        }))
  }

  /// All that a leaf shows, if it can be believed: it names a block for every place, and each is
  /// still in use, or holds what none of those in use can have come from. If one of these were in
  /// use for another place, the block that is named for that place would show it. A former block
  /// also tells where its successor belongs, if only one is possible.
  private func believe(_ leaf: [Witness]) -> Set<ArrayIndex.Claim> {
    guard leaf.count == missing.count, Set(leaf.map(\.claim.block)).count == leaf.count
    else { return [] }
    var shown: Set<ArrayIndex.Claim> = []
    var open: [(place: UInt64, blocks: Set<UInt64>)] = []
    for witness in leaf {
      switch witness.fate {
      case .inUse: shown.insert(witness.claim)
      case .replaced(let blocks): open.append((witness.claim.place, blocks))
      case .unknown: return []
      }
    }
    let inUse = Set(shown.map(\.block))
    guard open.allSatisfy({ $0.blocks.isDisjoint(with: inUse) }) else { return [] }
    while let next = open.firstIndex(where: { $0.blocks.count <= 1 }) {
      let (place, blocks) = open.remove(at: next)
      guard let block = blocks.first else { return [] }
      shown.insert(ArrayIndex.Claim(place: place, block: block))
      for index in open.indices { open[index].blocks.remove(block) }
    }
    return shown
  }
}
