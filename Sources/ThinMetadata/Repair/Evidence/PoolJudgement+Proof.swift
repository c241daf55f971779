internal import PersistentData

extension PoolJudgement {
  /// Whether an explanation holds though there are others, which lose something. Where a node has
  /// keys that its parent does not allow, the parent is wrong, unless one key of the node can be:
  /// its first or its last, where there is room for another within what the parent allows.
  func isProof(_ only: [Suspect], against others: [[Suspect]]) -> Bool {
    others.allSatisfy { other in
      other.count != only.count
        || other.allSatisfy { suspect in
          only.contains { $0.isSamePlace(as: suspect) }
            || suspect.block.flatMap(reader.mappings.misfit)?.canBeOneKey == false
        }
    }
  }
}
