package import PersistentData

/// An internal node that was lost and has been made anew, with the children that could be told.
package struct RemadeNode: Sendable {
  package let block: MetadataBlock
  let tree: Deficits.Tree
  /// The keys between its children: there may have been others.
  let gaps: [ClosedRange<UInt64>]
}

extension Grafting {
  /// Makes lost internal nodes anew, whichever can be; returns them.
  func makeNodes(
    _ reader: PoolReader, _ census: BlockCensus, _ deficits: Deficits
  ) -> [RemadeNode] {
    Deficits.Tree.allCases.flatMap { tree in
      makeNodes(
        tree, in: reader.holes(of: tree).filter { $0.value.height != 0 }, of: reader.file,
        from: deficits.candidates.filter { $0.tree == tree }, census)
    }
  }

  private func makeNodes(
    _ tree: Deficits.Tree, in holes: [MetadataBlock: TreeWalk.Hole], of file: BlockFile,
    from candidates: [Deficits.Candidate], _ census: BlockCensus
  ) -> [RemadeNode] {
    var children: [MetadataBlock: [UInt32]] = [:]
    for candidate in candidates {
      let block = candidate.block
      let fitting = holes.filter { fits(block, $0.value, census) }
      // As many places as there are references missing: no doubt. Otherwise it stays out.
      guard fitting.count == candidate.missing else { continue }
      for hole in fitting.keys { children[hole, default: []].append(block) }
    }
    return children.sorted { $0.key < $1.key }.compactMap { hole, blocks in
      guard let children = ordered(blocks, census), let reference = holes[hole]?.reference
      else { return nil }
      let contents = BTreeNode.make(
        .internal, hole, keys: children.map(\.keys.lowerBound),
        values: children.map { UInt64($0.block) })
      file.standIn(for: hole, contents)
      let keys = reference.first...max(reference.first, reference.last)
      return RemadeNode(block: hole, tree: tree, gaps: keys.removing(children.map(\.keys)))
    }
  }

  /// Nodes made anew that the pool's two lists of devices contradict: with them a device has more
  /// mappings than it says, or one list has devices that the other has not. A node that leaked
  /// looks like a lost child.
  func refutedNodes(_ reader: PoolReader) -> Set<MetadataBlock> {
    var refuted: Set<MetadataBlock> = []
    let blocks = Set(nodes.map(\.block))
    let totals = reader.mappingTotals
    for device in reader.devices {
      if let root = device.root, let details = device.details {
        if totals[below: root.number].entryCount > details.mappedBlocks {
          refuted.formUnion(blocks.intersection(reader.mappings.internalNodes(below: root)))
        }
      } else if device.root != nil, !reader.lostDetails.contains(where: { $0.contains(device.id) })
      {
        refuted.formUnion(nodes.filter { $0.tree == .topLevel }.map(\.block))
      } else if device.root == nil, reader.topLevelHoles.isEmpty,
        !reader.lostTopLevel.contains(where: { $0.contains(device.id) })
      {
        refuted.formUnion(nodes.filter { $0.tree == .details }.map(\.block))
      }
    }
    return refuted
  }

  private func fits(_ block: UInt32, _ hole: TreeWalk.Hole, _ census: BlockCensus) -> Bool {
    guard let keys = census.nodes[block]?.keys, let height = census.height(block)
    else { return false }
    if let wanted = hole.height, height != wanted - 1 { return false }
    return keys.lowerBound >= hole.reference.first && keys.upperBound <= hole.reference.last
  }

  /// The children in key order; `nil` when they can't all be of one node.
  private func ordered(
    _ blocks: [UInt32], _ census: BlockCensus
  ) -> [(block: UInt32, keys: ClosedRange<UInt64>)]? {
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
    return children
  }
}
