package import PersistentData

/// What every block of a device holds by itself, in use or not. Lost and superseded metadata is
/// looked for here.
///
/// A node that is no longer in use stays on the device until its block is given out again. Nothing
/// here is trusted beyond its own block. Memory is bounded by the size of the device.
package struct BlockCensus: Sendable {
  /// A key and the node it leads to; `nil` where that would be off the device.
  struct Pointer: Sendable {
    let key: UInt64
    let child: MetadataBlock?
  }

  let file: BlockFile
  let blockCount: UInt64
  let nodes: NodeTable
  /// Pointers of internal nodes, of leaves that can be lists of devices, and of leaves that list
  /// bitmaps.
  private(set) var pointers: [MetadataBlock: [Pointer]] = [:]
  /// What leaves with details store.
  private(set) var details: [MetadataBlock: [(id: UInt64, details: DeviceDetails)]] = [:]
  /// Index blocks of metadata space maps, of whatever age, ascending.
  private(set) var indexBlocks: [MetadataBlock] = []
  /// Copies of superblocks: metadata snapshots, of whatever age.
  private(set) var superblocks: [MetadataBlock: Superblock] = [:]
  /// The first sound leaf below each internal node.
  private(set) var firstLeaves: [MetadataBlock: (leaf: MetadataBlock, height: Int)] = [:]
  private var bitmaps: Set<MetadataBlock> = []
  /// By block: 1 where a checksum shows that it is metadata, of whatever kind.
  private var isSomething: BlockTable<UInt8>

  /// Reads once all blocks within `reach` that hold anything. `purpose`: what the progress display
  /// says.
  package init(
    _ file: BlockFile, reach: CensusReach = .whole, purpose: String = "looking at all blocks"
  ) {
    self.file = file
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    isSomething = BlockTable(count: blockCount)
    let visitors = BlockCensus.look(file, reach, purpose)
    nodes = NodeTable(visitors.map(\.nodes), blockCount: blockCount)
    for visitor in visitors {
      pointers.merge(visitor.pointers) { first, _ in first }
      details.merge(visitor.details) { first, _ in first }
      indexBlocks += visitor.indexBlocks
      bitmaps.formUnion(visitor.bitmaps)
      superblocks.merge(visitor.superblocks) { first, _ in first }
      for block in visitor.recognized { isSomething[block.index] = 1 }
    }
    indexBlocks.sort()
    firstLeaves = BlockCensus.firstLeaves(nodes, children)
  }

  private static func look(
    _ file: BlockFile, _ reach: CensusReach, _ purpose: String
  ) -> [Visitor] {
    let count = min(file.blockCount, MetadataBlock.maximumCount)
    let parts = reach.parts(of: file)
    file.progress.begin(purpose, total: parts.joined().reduce(0) { $0 + $1.count })
    var visitors: [Visitor] = []
    for (index, part) in parts.enumerated() {
      let blocks = part.flatMap { UInt32($0.lowerBound)..<UInt32($0.upperBound) }
      let found = BlockScan(file, blocks).run { Visitor(blocks: blocks, blockCount: count) }
      visitors += found
      if index > 0, found.allSatisfy(\.recognized.isEmpty) { break }
    }
    return visitors
  }

  func isBitmap(_ block: MetadataBlock) -> Bool { bitmaps.contains(block) }

  func isIndexBlock(_ block: MetadataBlock) -> Bool {
    let index = indexBlocks.firstIndex(from: block)
    return index < indexBlocks.count && indexBlocks[index] == block
  }

  /// Whether a block that isn't what it was holds other metadata now: it was allocated again.
  func isReused(_ block: MetadataBlock) -> Bool {
    isSomething.indices.contains(block.index) && isSomething[block.index] == 1
  }

  /// The blocks that a node points to; none unless all its values can be blocks.
  func children(of block: MetadataBlock) -> [MetadataBlock] {
    let pointers = pointers[block, default: []]
    let children = pointers.compactMap(\.child)
    return children.count == pointers.count ? children : []
  }

  private struct Visitor: BlockVisitor {
    let blocks: [UInt32]
    let blockCount: UInt64
    var nodes: [NodeTable.Node] = []
    var pointers: [MetadataBlock: [Pointer]] = [:]
    var details: [MetadataBlock: [(id: UInt64, details: DeviceDetails)]] = [:]
    var indexBlocks: [MetadataBlock] = []
    var bitmaps: Set<MetadataBlock> = []
    var superblocks: [MetadataBlock: Superblock] = [:]
    var recognized: [MetadataBlock] = []

    mutating func unreadable(_ index: Int, _ error: IOError) {}

    mutating func visit(_ index: Int, _ bytes: RawSpan) {
      let block = MetadataBlock(blocks[index])
      guard let kind = BlockKind(of: bytes) else { return }
      recognized.append(block)
      switch kind {
      case .btreeNode: addNode(BTreeNode(bytes), block)
      case .bitmap where BlockFault(bytes, as: kind, in: block) == nil:
        bitmaps.insert(block)
      case .metadataIndex where BlockFault(bytes, as: kind, in: block) == nil:
        indexBlocks.append(block)
      case .thinSuperblock: superblocks[block] = Superblock(bytes)
      default: break
      }
    }

    private mutating func addNode(_ node: BTreeNode, _ block: MetadataBlock) {
      guard node.isSound(in: block), let kind = node.kind else { return }
      nodes.append(NodeTable.Node(node, in: block))
      switch (kind, node.valueSize) {
      case (.internal, _): pointers[block] = pointers(node) { $0.value($1) }
      case (.leaf, IndexEntry.Layout.size):
        pointers[block] = pointers(node) { $0.value($1, IndexEntry.Layout.block) }
      case (.leaf, DeviceDetails.Layout.size):
        details[block] = (0..<node.entryCount).map { (node.key($0), DeviceDetails(node, $0)) }
      case (.leaf, BTreeNode.pointerSize): pointers[block] = deviceList(node)
      default: break
      }
    }

    private func pointers(
      _ node: BTreeNode, _ value: (BTreeNode, Int) -> UInt64
    ) -> [Pointer] {
      (0..<node.entryCount).map { entry in
        Pointer(
          key: node.key(entry),
          child: MetadataBlock(pointer: value(node, entry), count: blockCount))
      }
    }

    /// The entries of a leaf whose values can all be blocks. A mapping's value can't, except that
    /// of data block 0, which a device maps at most once.
    private func deviceList(_ leaf: BTreeNode) -> [Pointer]? {
      var list: [Pointer] = []
      for entry in 0..<leaf.entryCount {
        guard let block = MetadataBlock(pointer: leaf.value(entry), count: blockCount)
        else { return nil }
        list.append(Pointer(key: leaf.key(entry), child: block))
      }
      return list.isEmpty ? nil : list
    }
  }
}
