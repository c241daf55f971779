internal import PersistentData

extension Grafting {
  /// Makes lost internal nodes anew, whichever can be; returns them.
  func makeNodes(
    _ reader: PoolReader, _ census: BlockCensus, _ deficits: Deficits
  ) -> [MetadataBlock] {
    Deficits.Tree.allCases.flatMap { tree in
      makeNodes(
        in: reader.holes(of: tree).filter { $0.value.height != 0 }, of: reader.file,
        from: deficits.candidates.filter { $0.tree == tree }, census)
    }
  }

  private func makeNodes(
    in holes: [MetadataBlock: TreeWalk.Hole], of file: BlockFile,
    from candidates: [Deficits.Candidate], _ census: BlockCensus
  ) -> [MetadataBlock] {
    var children: [MetadataBlock: [UInt32]] = [:]
    for candidate in candidates {
      let block = candidate.block
      let fitting = holes.filter { fits(block, $0.value, census) }
      // As many places as there are references missing: no doubt. Otherwise it stays out.
      guard fitting.count == candidate.missing else { continue }
      for hole in fitting.keys { children[hole, default: []].append(block) }
    }
    return children.sorted { $0.key < $1.key }.compactMap { hole, blocks in
      guard let contents = node(hole, over: blocks, census) else { return nil }
      file.standIn(for: hole, contents)
      return hole
    }
  }

  private func fits(_ block: UInt32, _ hole: TreeWalk.Hole, _ census: BlockCensus) -> Bool {
    guard let keys = census.nodes[block]?.keys, let height = census.height(block)
    else { return false }
    if let wanted = hole.height, height != wanted - 1 { return false }
    return keys.lowerBound >= hole.reference.first && keys.upperBound <= hole.reference.last
  }

  /// A node over these children; `nil` when they can't all be of one node.
  private func node(
    _ block: MetadataBlock, over blocks: [UInt32], _ census: BlockCensus
  ) -> BlockBuffer? {
    let children = blocks.compactMap { child in
      census.nodes[child]?.keys.map { (block: child, keys: $0) }
    }.sorted { $0.keys.lowerBound < $1.keys.lowerBound }
    let maximum = BTreeNode.maximumEntries(valueSize: BTreeNode.pointerSize)
    guard !children.isEmpty, children.count <= maximum,
      Set(children.map { census.height($0.block) }).count == 1,
      zip(children, children.dropFirst()).allSatisfy({
        $0.keys.upperBound < $1.keys.lowerBound
      })
    else { return nil }
    return BTreeNode.make(
      .internal, block, keys: children.map(\.keys.lowerBound),
      values: children.map { UInt64($0.block) })
  }
}
