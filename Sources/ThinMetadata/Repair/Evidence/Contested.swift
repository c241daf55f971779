internal import PersistentData

/// What refers to blocks that have more references than are counted, or that can't be right for
/// another reason: some of it is wrong.
struct Contested {
  /// A leaf of mapping trees with its entries that map contested data blocks.
  struct Leaf: Sendable {
    let block: MetadataBlock
    let entries: [(key: UInt64, mapping: Mapping)]
  }

  /// Internal nodes of the mapping trees and of the details, and leaves of the list of devices.
  let parents: Set<MetadataBlock>
  let details: Set<MetadataBlock>
  let lists: Set<MetadataBlock>
  /// Ascending by block.
  let leaves: [Leaf]
  /// Metadata blocks that a pointer should not lead to.
  let targets: Set<MetadataBlock>
  /// Metadata blocks in use that nothing leads to.
  let unreached: Set<MetadataBlock>
  /// Whether blocks are lost as well.
  let hasLosses: Bool

  init(_ judgement: PoolJudgement) {
    let reader = judgement.reader
    unreached = judgement.unreached
    hasLosses = reader.hasLosses
    let linked = reader.mappings.crossLinked.union(reader.topLevel.crossLinked)
      .union(reader.details.crossLinked)
    targets = judgement.surplusBlocks.union(judgement.surplusMapBlocks)
      .union(linked)
    // Block 0 stands for pointers that lead nowhere.
    let sought = targets.union([.superblock])
    let misfits = reader.mappings.misfitNodes
    parents = reader.mappings.parents(of: sought.union(misfits))
      .union(reader.mappings.misfitNodes).union(linked)
    details = reader.details.parents(of: sought)
    let badRoots = targets.union(misfits)
    lists = reader.topLevel.parents(of: sought).union(
      reader.topLevel.leaves.filter { _, entries in
        entries.contains { _, target in
          let block = MetadataBlock(pointer: target, count: reader.usage.blockCount)
          return block.map(badRoots.contains) ?? true
        }
      }.keys)
    leaves =
      judgement.surplusData.isEmpty ? [] : Contested.leaves(reader, judgement.surplusData)
  }

  static func leaves(_ reader: PoolReader, _ blocks: Set<UInt64>) -> [Leaf] {
    leaves(reader) { blocks.contains($0.dataBlock) }
  }

  /// The leaves of mapping trees with those of their entries that are wanted.
  static func leaves(
    _ reader: PoolReader, where isWanted: @escaping @Sendable (Mapping) -> Bool
  ) -> [Leaf] {
    var walk = reader.mappings
    var findings = Findings()
    let visitors = walk.readLeaves(findings: &findings) {
      Visitor(isWanted: isWanted)
    }
    return visitors.flatMap(\.leaves).sorted { $0.block < $1.block }
  }

  private struct Visitor: LeafVisitor {
    let isWanted: @Sendable (Mapping) -> Bool
    var leaves: [Leaf] = []

    mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
      var entries: [(key: UInt64, mapping: Mapping)] = []
      for index in 0..<node.entryCount {
        let mapping = Mapping(node.value(index))
        if isWanted(mapping) { entries.append((node.key(index), mapping)) }
      }
      if !entries.isEmpty { leaves.append(Leaf(block: reference.block, entries: entries)) }
    }
  }
}
