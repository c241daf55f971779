internal import PersistentData

extension Grafting {
  /// More leaves like this are no accident of a few blocks.
  private static let maxOddLeaves = 64

  /// Has leaves that say that they have room for more or fewer entries than kernels give them read
  /// as if they had that, where nothing is contradicted then: with another number, all values are
  /// read beside their place.
  mutating func correctCapacities(
    _ judgement: PoolJudgement, _ source: PoolSource
  ) throws(IOError) -> Bool {
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
    guard PoolJudgement(try source.read()).isClean else {
      file.allStandIns = standIns
      return false
    }
    for block in odd { note(.node(block), judgement) }
    return true
  }
}

/// Finds leaves with room for another number of entries than kernels give them.
private struct CapacityVisitor: LeafVisitor {
  var blocks: [MetadataBlock] = []

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    if node.maxEntries != BTreeNode.maximumEntries(valueSize: Mapping.valueSize) {
      blocks.append(reference.block)
    }
  }
}
