package import PersistentData

/// What every block of a device looks like by itself: where a search for a lost superblock starts.
package struct BlockCensus: Sendable {
  /// A B-tree node that knows its own number and is sound in itself.
  struct Node: Sendable {
    let kind: BTreeNode.Kind
    let valueSize: Int
    let entryCount: Int
    /// Blocks that it may point to: children, roots of devices, bitmaps.
    let pointers: [UInt32]
    /// The first and the last key; `nil` without entries.
    let keys: ClosedRange<UInt64>?
    /// The keys of the pointers, where they may be ids of devices.
    let deviceIDs: [UInt64]
  }

  let file: BlockFile
  let blockCount: UInt64
  private(set) var nodes: [UInt32: Node] = [:]
  /// Index blocks of metadata space maps, of whatever age, ascending.
  private(set) var indexBlocks: [UInt32] = []
  private var indexSet: Set<UInt32> = []
  private(set) var bitmaps: Set<UInt32> = []
  /// Copies of superblocks: metadata snapshots, of whatever age.
  private(set) var superblocks: [UInt32: Superblock] = [:]

  /// Reads the whole device once.
  package init(_ file: BlockFile) {
    self.file = file
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    let blocks = Array(1..<UInt32(max(1, blockCount)))
    file.progress.begin("looking for the pool in all blocks", total: blocks.count)
    let count = blockCount
    let visitors = BlockScan(file, blocks).run { Visitor(blocks: blocks, blockCount: count) }
    for visitor in visitors {
      nodes.merge(visitor.nodes) { first, _ in first }
      indexBlocks += visitor.indexBlocks
      bitmaps.formUnion(visitor.bitmaps)
      superblocks.merge(visitor.superblocks) { first, _ in first }
    }
    indexBlocks.sort()
    indexSet = Set(indexBlocks)
  }

  /// Whether a block holds anything that a pool's metadata can refer to.
  func isMetadata(_ block: UInt32) -> Bool {
    nodes[block] != nil || bitmaps.contains(block) || superblocks[block] != nil
      || indexSet.contains(block)
  }

  /// The blocks that a block in use refers to. `isInUse`: whether a block is allocated.
  func references(of block: UInt32, isInUse: (UInt32) -> Bool) -> [UInt32] {
    if let copy = superblocks[block] {
      return [copy.mappingRoot, copy.detailsRoot].compactMap {
        MetadataBlock(pointer: $0, count: blockCount)?.number
      }
    }
    guard let node = nodes[block] else { return [] }
    if node.kind == .leaf, node.valueSize == BTreeNode.pointerSize {
      return isTopLevel(block) && node.pointers.allSatisfy(isInUse) ? node.pointers : []
    }
    return node.pointers
  }

  /// Whether the leaves below a node point to trees: those of the devices. A single tree may be
  /// `lost`.
  ///
  /// A mapping's value can be the number of a metadata block only where the data block is block 0,
  /// which a leaf has once at most.
  func isTopLevel(_ block: UInt32, exceptFor lost: Set<UInt32> = []) -> Bool {
    var block = block
    for _ in 0..<16 {
      guard let node = nodes[block], let first = node.pointers.first else { return false }
      if node.kind == .leaf {
        return node.pointers.count > 1 || lost.contains(first)
          || nodes[first]?.valueSize == BTreeNode.pointerSize
      }
      block = first
    }
    return false
  }

  /// Levels above the leaves; `nil` when that can't be told.
  func height(_ block: UInt32) -> Int? {
    var block = block
    for height in 0..<16 {
      guard let node = nodes[block] else { return nil }
      if node.kind == .leaf { return height }
      guard let first = node.pointers.first else { return nil }
      block = first
    }
    return nil
  }

  /// The size of the values in the leaves below a node; `nil` when that can't be told.
  func leafValueSize(_ block: UInt32) -> Int? {
    var block = block
    for _ in 0..<16 {
      guard let node = nodes[block] else { return nil }
      if node.kind == .leaf { return node.valueSize }
      guard let first = node.pointers.first else { return nil }
      block = first
    }
    return nil
  }

  private struct Visitor: BlockVisitor {
    let blocks: [UInt32]
    let blockCount: UInt64
    var nodes: [UInt32: Node] = [:]
    var indexBlocks: [UInt32] = []
    var bitmaps: Set<UInt32> = []
    var superblocks: [UInt32: Superblock] = [:]

    mutating func unreadable(_ index: Int, _ error: IOError) {}

    mutating func visit(_ index: Int, _ bytes: RawSpan) {
      let block = blocks[index]
      switch BlockKind(of: bytes) {
      case .btreeNode: addNode(BTreeNode(bytes), block)
      case .bitmap where Bitmap(bytes).block == UInt64(block): bitmaps.insert(block)
      case .metadataIndex where bytes[MetadataIndex.Layout.block] == UInt64(block):
        indexBlocks.append(block)
      case .thinSuperblock: superblocks[block] = Superblock(bytes)
      default: break
      }
    }

    private mutating func addNode(_ node: BTreeNode, _ block: UInt32) {
      guard node.isSound(in: MetadataBlock(block)), let kind = node.kind else { return }
      let pointers = pointers(node, kind) ?? []
      let mayBeTopLevel =
        kind == .leaf && node.valueSize == BTreeNode.pointerSize && !pointers.isEmpty
      nodes[block] = Node(
        kind: kind, valueSize: node.valueSize, entryCount: node.entryCount,
        pointers: pointers, keys: node.keys,
        deviceIDs: mayBeTopLevel ? (0..<node.entryCount).map { node.key($0) } : [])
    }

    /// The blocks that a node's values are, if they can be blocks at all. A mapping's value can't:
    /// the data block starts at bit 24, above every number of a metadata block.
    private func pointers(_ node: BTreeNode, _ kind: BTreeNode.Kind) -> [UInt32]? {
      let isIndex = kind == .leaf && node.valueSize == IndexEntry.Layout.size
      guard node.valueSize == BTreeNode.pointerSize || isIndex else { return nil }
      var pointers: [UInt32] = []
      for entry in 0..<node.entryCount {
        let value = isIndex ? node.value(entry, IndexEntry.Layout.block) : node.value(entry)
        guard let block = MetadataBlock(pointer: value, count: blockCount) else { return nil }
        pointers.append(block.number)
      }
      return pointers
    }
  }
}
