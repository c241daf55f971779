package import PersistentData

/// An internal node that was lost and has been remade, with the children that are known.
package struct RemadeNode: Sendable {
  package let block: MetadataBlock
  let tree: Deficits.Tree
  /// Keys that it may have led to, without it being known where.
  let gaps: [ClosedRange<UInt64>]
  /// Keys not taken by a child that is complete.
  let free: [ClosedRange<UInt64>]
  /// Levels of its children above the leaves; `nil` where it is not known.
  let childHeight: Int?
}

extension Grafting {
  /// Remakes the lost internal nodes for which that is possible; returns them.
  func makeNodes(
    _ pool: PoolReading, _ census: BlockCensus, _ deficits: Deficits
  ) -> [RemadeNode] {
    let reader = pool.reader
    var maker = NodeMaker(reader.file, deficits.spareBlocks)
    var made: [RemadeNode] = []
    for tree in Deficits.Tree.allCases {
      let holes = reader.holes(of: tree).filter { $0.value.height != 0 }
      var contents = undoubted(tree, in: holes, deficits, census)
      // What is left open is not looked for a second time: it would seem to be missing elsewhere.
      if tree == .mapping, nodes.isEmpty {
        let search = NodeSearch(
          holes, deficits, pool, census, takingCommon: !isTrial)
        contents.merge(search.contents) { $1 }
      }
      for (block, contents) in contents.sorted(by: { $0.key < $1.key }) {
        guard let hole = holes[block] else { continue }
        let childHeight = hole.height.map { $0 - 1 } ?? contents.childHeight
        guard let parts = maker.make(block, of: contents.parts, childHeight: childHeight)
        else { continue }
        let keys = hole.reference.first...max(hole.reference.first, hole.reference.last)
        let gaps = keys.removing(parts.flatMap(\.certain))
        made.append(
          RemadeNode(
            block: block, tree: tree,
            gaps: contents.doubtful.map { gaps.common(with: $0) } ?? gaps,
            free: keys.removing(parts.filter(\.isWhole).map(\.keys)),
            childHeight: childHeight))
      }
    }
    return made
  }

  /// Children that fit exactly as many lost nodes as they miss references. These are certain,
  /// whatever else is lost.
  private func undoubted(
    _ tree: Deficits.Tree, in holes: [MetadataBlock: TreeWalk.Hole], _ deficits: Deficits,
    _ census: BlockCensus
  ) -> [MetadataBlock: NodeSearch.Contents] {
    // Where other lost nodes may have stood between, a child may be lower than its place suggests.
    let isDirect = deficits.hiddenNodes == 0
    func isPossible(_ height: Int, _ childHeight: Int?) -> Bool {
      guard let childHeight else { return true }
      return isDirect ? height == childHeight : height <= childHeight
    }
    var parts: [MetadataBlock: [NodePart]] = [:]
    for candidate in deficits.candidates where candidate.tree == tree {
      guard let keys = census.nodes[candidate.block]?.keys,
        let height = census.height(candidate.block)
      else { continue }
      let fitting = holes.filter { _, hole in
        keys.lowerBound >= hole.reference.first && keys.upperBound <= hole.reference.last
          && isPossible(height, hole.height.map { $0 - 1 })
      }
      // Whatever is missing from a node remade before may still have stood there.
      let isOpen = nodes.contains { node in
        node.tree == tree && isPossible(height, node.childHeight)
          && node.free.contains { $0.overlaps(keys) }
      }
      guard !isOpen, fitting.count == candidate.missing else { continue }
      let part = NodePart(keys: keys, height: height, value: UInt64(candidate.block.number))
      for hole in fitting.keys { parts[hole, default: []].append(part) }
    }
    return parts.mapValues { parts in
      // Children lower than others may belong to lost nodes below these.
      let highest = parts.map(\.height).max()
      return NodeSearch.Contents(
        parts: parts.filter { $0.height == highest }, childHeight: isDirect ? highest : nil,
        doubtful: nil)
    }
  }

  /// Remade nodes that the pool's two lists of devices contradict: with them a device has more
  /// mappings than its details say, or one list has devices that the other hasn't. A leaked node
  /// looks like a lost child.
  func refutedNodes(_ pool: PoolReading) -> Set<MetadataBlock> {
    var refuted: Set<MetadataBlock> = []
    let blocks = Set(nodes.map(\.block))
    let (reader, totals) = (pool.reader, pool.counts.totals)
    for device in reader.devices {
      if let root = device.root, let details = device.details {
        if totals[below: root].entryCount > details.mappedBlocks {
          refuted.formUnion(blocks.intersection(reader.mappings.internalNodes(below: root)))
        }
      } else if device.root != nil, !reader.lostDetails.contains(where: { $0.contains(device.id) })
      {
        refuted.formUnion(nodes.filter { $0.tree == .topLevel }.map(\.block))
      } else if device.root == nil, reader.topLevel.holes.isEmpty,
        !reader.lostTopLevel.contains(where: { $0.contains(device.id) })
      {
        refuted.formUnion(nodes.filter { $0.tree == .details }.map(\.block))
      }
    }
    return refuted
  }
}
