internal import PersistentData

extension Grafting {
  /// With more such leaves, it isn't just a few bad blocks.
  private static let maxOddLeaves = 64

  /// Corrects the capacity of leaves that doesn't match what kernels write, if nothing is
  /// contradicted then: with a wrong capacity, all values are read from the wrong offset.
  mutating func correctCapacities(
    _ judgement: PoolJudgement, _ source: PoolSource
  ) -> Bool {
    let file = judgement.reader.file
    var walk = judgement.reader.mappings
    var findings = Findings()
    let odd = walk.readLeaves(findings: &findings) { CapacityVisitor() }
      .flatMap(\.blocks).sorted()
    guard !odd.isEmpty, odd.count <= Grafting.maxOddLeaves else { return false }
    let capacity = BTreeNode.maximumEntries(valueSize: Mapping.valueSize)
    let standIns = file.allStandIns
    for block in odd {
      guard let contents = NodeCopy(file, block, capacity: capacity)?.contents else { continue }
      file.standIn(for: block, contents)
    }
    guard PoolJudgement(source.read()).isClean else {
      file.allStandIns = standIns
      return false
    }
    for block in odd { note(.node(block), judgement) }
    return true
  }
}

/// Finds leaves whose capacity isn't what kernels write.
private struct CapacityVisitor: LeafVisitor {
  var blocks: [MetadataBlock] = []

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    if node.maxEntries != BTreeNode.maximumEntries(valueSize: Mapping.valueSize) {
      blocks.append(reference.block)
    }
  }
}
