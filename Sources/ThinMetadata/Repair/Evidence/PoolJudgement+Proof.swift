internal import PersistentData

extension PoolJudgement {
  /// The explanations, without those that blame a node above another blamed one: losing the upper
  /// node would also hide whatever is wrong below.
  func innermost(_ explanations: [[Suspect]]) -> [[Suspect]] {
    var above: Set<MetadataBlock> = []
    for explanation in explanations where explanation.count == 1 {
      guard case .node(let block)? = explanation.first else { continue }
      // A node that leads to itself is not below itself.
      above.formUnion(ancestors(of: block).subtracting([block]))
    }
    return explanations.filter { explanation in
      guard explanation.count == 1, case .node(let block)? = explanation.first else { return true }
      return !above.contains(block)
    }
  }

  /// The internal nodes of mapping trees on the way to `block`.
  private func ancestors(of block: MetadataBlock) -> Set<MetadataBlock> {
    var found: Set<MetadataBlock> = []
    var open: Set<MetadataBlock> = [block]
    while !open.isEmpty {
      let parents = reader.mappings.parents(of: open).subtracting(found)
      found.formUnion(parents)
      open = parents
    }
    return found
  }

  /// Whether an explanation holds though there are others, which lose something. If a node has keys
  /// that its parent does not allow, the parent is wrong, unless one key of the node can be: its
  /// first or last, where another would fit what the parent allows. A space map isn't to blame for
  /// nodes out of place: keys say nothing about it.
  func isProof(_ only: [Suspect], against others: [[Suspect]]) -> Bool {
    let maps = only.filter(\.isSpaceMap)
    return others.allSatisfy { other in
      if other.count != only.count { return true }
      return maps.allSatisfy(other.contains)
        && other.allSatisfy { suspect in
          only.contains { $0.isSamePlace(as: suspect) }
            || suspect.block.flatMap(reader.mappings.misfit)?.canBeOneKey == false
        }
    }
  }
}
