internal import PersistentData

extension Grafting {
  /// What became of a device's entries that other blocks contradict.
  struct Contradicted {
    /// Virtual blocks that are left out.
    var leftOut: [ClosedRange<UInt64>] = []
    /// Mappings to a data block that was wrong and is known.
    var correctedCount: UInt64 = 0
    /// Whether internal nodes of its tree may be wrong, and nothing tells which.
    var isContested = false
  }

  /// Looks for such entries in the tree that starts at `root`. Visits every leaf, if there are any
  /// such entries at all.
  func contradicted(below root: MetadataBlock?, _ reader: PoolReader) -> Contradicted {
    var found = Contradicted()
    guard let root else { return found }
    if !contestedNodes.isEmpty {
      let nodes = reader.mappings.internalNodes(below: root)
      found.isContested = !contestedNodes.isDisjoint(with: nodes)
    }
    guard !leftOut.isEmpty || !corrected.isEmpty else { return found }
    reader.mappings.forEachBottom(below: root) { bottom in
      guard case .leaf(let leaf, _) = bottom else { return }
      found.leftOut += leftOut[leaf, default: []]
      found.correctedCount += UInt64(corrected[leaf, default: []].count)
    }
    return found
  }
  /// Leaves out entries of a leaf that may be wrong.
  mutating func leaveOut(
    _ keys: Set<UInt64>, of leaf: MetadataBlock, in file: BlockFile
  ) {
    guard var copy = NodeCopy(file, leaf) else { return }
    copy.entries.removeAll { keys.contains($0.key) }
    guard let contents = copy.contents else { return }
    file.standIn(for: leaf, contents)
    leftOut[leaf, default: []] += keys.sorted().map { $0...$0 }
  }
}
