internal import PersistentData

/// Blocks with more references in the metadata space map than readable blocks hold.
///
/// The metadata space map says how many references each block has. A block with fewer found in all
/// that is readable is one that lost blocks referred to: their child, known without having seen the
/// parent.
struct Deficits: Sendable {
  /// The trees whose nodes can be told apart without their parents.
  enum Tree: CaseIterable, Sendable {
    case topLevel
    case details
    case mapping
  }

  /// A node that is short of references, and of how many.
  struct Candidate: Hashable, Sendable {
    let block: MetadataBlock
    let tree: Tree
    let missing: Int
  }

  private static let maxSpareBlocks = 1024

  /// Ascending by block.
  private(set) var candidates: [Candidate] = []
  /// Whether anything in use was not reached, or a node is short of references.
  private(set) var hasUnreached = false
  /// How many lost nodes only one other lost node led to, so that it isn't known where they stood;
  /// `nil` when one may have had more lost parents, or a count can't be read.
  private(set) var hiddenNodes: Int?
  /// The first blocks that nothing uses and that hold no node.
  private(set) var spareBlocks: [MetadataBlock] = []
  /// The metadata space map; `nil` where it can't be read.
  private let stored: [UInt32?]

  /// `reader`: after its walk, which counted the references that can be reached.
  init(_ reader: PoolReader, _ census: BlockCensus) {
    var usage = reader.usage.withNothingCounted
    var findings = Findings()
    // The space maps' own blocks are in use too.
    _ = StoredSpaceMap(
      PoolReader.Structure.dataSpaceMap, root: reader.superblock.dataSpaceMap,
      index: .tree, in: reader.file, usage: &usage, findings: &findings)
    let map = StoredSpaceMap(
      PoolReader.Structure.metadataSpaceMap, root: reader.superblock.metadataSpaceMap,
      index: .block, in: reader.file, usage: &usage, findings: &findings)
    let stored = Array(map.readCounts().prefix(Int(usage.blockCount)))
    self.stored = stored
    func count(_ block: MetadataBlock) -> UInt32 {
      stored.indices.contains(block.index) ? stored[block.index] ?? 0 : 0
    }

    // A node in use that was not reached has lost its parent or an ancestor; the references that it
    // holds itself are not missing.
    var found: [MetadataBlock: Int] = [:]
    for node in census.nodes.all
    where node.valueSize == BTreeNode.pointerSize && count(node.block) > 0
      && !usage.isClaimed(node.block)
    {
      let references = census.references(of: node.block) { count($0) > 0 }
      for pointer in references { found[pointer, default: 0] += 1 }
    }
    for block in census.nodes.all.map(\.block) {
      guard let tree = Deficits.tree(of: block, census) else { continue }
      let references = Int(reader.usage.references[UInt64(block.number)]) + found[block, default: 0]
      let missing = Int(count(block)) - references
      if missing > 0 {
        candidates.append(Candidate(block: block, tree: tree, missing: missing))
      }
    }
    hiddenNodes = stored.indices.reduce(0) { hidden, block in
      guard let hidden, let count = stored[block] else { return nil }
      if count == 0 { return hidden }
      let references =
        Int(reader.usage.references[UInt64(block)]) + found[MetadataBlock(index: block), default: 0]
      if Int(count) <= references || census.isMetadata(MetadataBlock(index: block)) {
        return hidden
      }
      return count == 1 ? hidden + 1 : nil
    }
    let spare = stored.indices.lazy.map(MetadataBlock.init(index:)).filter { block in
      stored[block.index] == 0 && census.nodes[block] == nil && !usage.isClaimed(block)
    }
    spareBlocks = Array(spare.prefix(Deficits.maxSpareBlocks))
    hasUnreached =
      !candidates.isEmpty
      || stored.indices.contains { block in
        stored[block] != 0 && !usage.isClaimed(MetadataBlock(index: block))
      }
  }

  private static func tree(of block: MetadataBlock, _ census: BlockCensus) -> Tree? {
    switch census.leafValueSize(block) {
    case DeviceDetails.Layout.size: .details
    case Mapping.valueSize: census.isTopLevel(block) ? .topLevel : .mapping
    default: nil
    }
  }

  /// Whether a metadata block is allocated; `nil` when that can't be told.
  func isInUse(_ block: MetadataBlock) -> Bool? {
    stored.indices.contains(block.index) ? stored[block.index].map { $0 > 0 } : nil
  }
}
