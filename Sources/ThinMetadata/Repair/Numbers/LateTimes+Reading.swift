internal import PersistentData

extension LateTimes {
  /// Looks in all leaves for the times of data blocks that were found with too late a time.
  init(of blocks: Set<UInt64>, in reader: PoolReader) {
    self.init()
    if blocks.isEmpty { return }
    let limits = MappingLeaf.Limits(
      dataBlockCount: reader.limits.dataBlockCount, time: reader.limits.time)
    var walk = reader.mappings
    var findings = Findings()
    let visitors = walk.readLeaves(findings: &findings) {
      Visitor(blocks: blocks.sorted(), leaf: MappingLeaf(limits), timeLimit: limits.time)
    }
    for visitor in visitors { merge(visitor.times) }
  }

  private struct Visitor: LeafVisitor {
    /// Ascending.
    let blocks: [UInt64]
    var leaf: MappingLeaf
    let timeLimit: UInt32
    var times = LateTimes()

    init(blocks: [UInt64], leaf: MappingLeaf, timeLimit: UInt32) {
      self.blocks = blocks
      self.leaf = leaf
      self.timeLimit = timeLimit
    }

    mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
      var findings = Findings()
      leaf.read(node, reference, findings: &findings)
      for run in leaf.runs where run.time <= timeLimit {
        let wanted =
          blocks.firstIndex(
            from: run.dataBlocks.lowerBound)..<blocks.firstIndex(from: run.dataBlocks.upperBound)
        for block in blocks[wanted] { times.note(run.time, of: block) }
      }
    }
  }
}
