/// The distinct nodes of one level of a walk, in location order, each with what its parents say
/// about it.
struct Frontier: Sendable {
  /// The nodes' numbers, ascending.
  let blocks: [UInt32]
  /// By index in `blocks`.
  private(set) var references: [NodeReference]
  /// Indices in `blocks`.
  private var places: BlockPlaces

  /// The children of the nodes of `height`, the lowest in `skeleton`, and `roots`. Pointers that
  /// lead off the device, which has `blockCount` blocks, are left out.
  init(
    below height: Int, of skeleton: TreeSkeleton, and roots: some Collection<TreeRoot>,
    blockCount: UInt64
  ) {
    let parents = skeleton.nodes(ofLowest: height)
    let first = parents.first?.entries.lowerBound ?? 0
    let last = parents.last?.entries.upperBound ?? 0
    let blocks = [roots.map(\.block.number)[...], skeleton.children[first..<last]].joined()
    self.init(blocks, blockCount: blockCount)
    for root in roots {
      if let place = index(of: root.block) { references[place].join(root) }
    }
    for node in parents {
      for entry in node.entries where skeleton.children[entry] != 0 {
        guard let place = places[skeleton.children[entry]] else { continue }
        references[place].join(skeleton.bounds(of: entry, in: node), node.owner, node.reach)
      }
    }
  }

  /// Nodes of which nothing is known yet: `blocks` in any order, perhaps repeated. 0 is skipped.
  private init(_ blocks: some Sequence<UInt32>, blockCount: UInt64) {
    places = BlockPlaces(blockCount: blockCount)
    var distinct: [UInt32] = []
    for block in blocks where block != 0 && places[block] == nil {
      places[block] = 0
      distinct.append(block)
    }
    distinct.sortBlocks()
    for (index, block) in distinct.enumerated() { places[block] = index }
    references = distinct.map { NodeReference(unknown: MetadataBlock($0)) }
    self.blocks = distinct
  }

  /// The index of a node in `blocks`; `nil` when `block` isn't in it.
  func index(of block: MetadataBlock) -> Int? { places[block.number] }

  /// The same level with only the nodes that `isKept` accepts, by index.
  func filtered(_ isKept: (Int) -> Bool) -> Frontier {
    let kept = blocks.indices.filter(isKept)
    var filtered = Frontier(kept.map { blocks[$0] }, blockCount: places.blockCount)
    filtered.references = kept.map { references[$0] }
    return filtered
  }
}

extension [UInt32] {
  /// Sorts numbers of metadata blocks in linear time.
  fileprivate mutating func sortBlocks() {
    // Two digits of eleven bits hold any number; least significant digit first.
    let digits = 1 << 11
    precondition(MetadataBlock.maximumCount <= UInt64(digits * digits))
    for shift in [0, 11] as [UInt32] {
      var starts = [Int](repeating: 0, count: digits + 1)
      for block in self { starts[Int(block >> shift) % digits + 1] += 1 }
      for digit in 1...digits { starts[digit] += starts[digit - 1] }
      var sorted = self
      for block in self {
        let digit = Int(block >> shift) % digits
        sorted[starts[digit]] = block
        starts[digit] += 1
      }
      self = sorted
    }
  }
}
