internal import PersistentData

/// What every block of a device holds by itself, in use or not: where old states are looked for.
///
/// A node that is no longer in use stays on the device until its block is given out again. Nothing
/// here is trusted beyond its own block: `FoundTrees` says what fits together. Memory is bounded by
/// the size of the device.
struct NodeCensus: Sendable {
  /// A B-tree node that knows its own number and is sound in itself.
  struct Node: Sendable {
    let isLeaf: Bool
    let valueSize: Int
    let entryCount: Int
    /// The first and the last key; `nil` without entries.
    let keys: ClosedRange<UInt64>?
  }

  /// A key and the node it leads to; 0 stands for a pointer that leads off the device.
  struct Pointer: Sendable {
    let key: UInt64
    let child: UInt32
  }

  let blockCount: UInt64
  private(set) var nodes: [UInt32: Node] = [:]
  /// Those of internal nodes, and of leaves that can be lists of devices with their trees.
  private(set) var pointers: [UInt32: [Pointer]] = [:]
  /// What leaves with details store.
  private(set) var details: [UInt32: [(id: UInt64, details: DeviceDetails)]] = [:]
  /// Copies of superblocks: metadata snapshots, of whatever age.
  private(set) var superblocks: [UInt32: Superblock] = [:]
  /// By block: whether it is sound as something, whatever that is.
  private var isSomething: [Bool]

  /// Reads the whole device once.
  init(_ file: BlockFile) {
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    isSomething = Array(repeating: false, count: Int(blockCount))
    let blocks = Array(1..<UInt32(max(1, blockCount)))
    file.progress.begin("looking for old roots", total: blocks.count)
    let count = blockCount
    let visitors = BlockScan(file, blocks).run { Visitor(blocks: blocks, blockCount: count) }
    for visitor in visitors {
      nodes.merge(visitor.nodes) { first, _ in first }
      pointers.merge(visitor.pointers) { first, _ in first }
      details.merge(visitor.details) { first, _ in first }
      superblocks.merge(visitor.superblocks) { first, _ in first }
      for block in visitor.recognized { isSomething[Int(block)] = true }
    }
  }

  /// Whether a block that isn't what it was has become something else: it was given out again.
  func isReused(_ block: UInt32) -> Bool {
    Int(block) < isSomething.count && isSomething[Int(block)]
  }

  private struct Visitor: BlockVisitor {
    let blocks: [UInt32]
    let blockCount: UInt64
    var nodes: [UInt32: Node] = [:]
    var pointers: [UInt32: [Pointer]] = [:]
    var details: [UInt32: [(id: UInt64, details: DeviceDetails)]] = [:]
    var superblocks: [UInt32: Superblock] = [:]
    var recognized: [UInt32] = []

    mutating func unreadable(_ index: Int, _ error: IOError) {}

    mutating func visit(_ index: Int, _ bytes: RawSpan) {
      let block = blocks[index]
      guard let kind = BlockKind(of: bytes) else { return }
      recognized.append(block)
      switch kind {
      case .btreeNode: addNode(BTreeNode(bytes), block)
      case .thinSuperblock: superblocks[block] = Superblock(bytes)
      default: break
      }
    }

    private mutating func addNode(_ node: BTreeNode, _ block: UInt32) {
      guard node.isSound(in: MetadataBlock(block)), let kind = node.kind else { return }
      nodes[block] = Node(
        isLeaf: kind == .leaf, valueSize: node.valueSize, entryCount: node.entryCount,
        keys: node.keys)
      if kind == .internal {
        pointers[block] = (0..<node.entryCount).map { entry in
          let child = MetadataBlock(pointer: node.value(entry), count: blockCount)
          return Pointer(key: node.key(entry), child: child?.number ?? 0)
        }
      } else if node.valueSize == DeviceDetails.Layout.size {
        details[block] = (0..<node.entryCount).map { (node.key($0), DeviceDetails(node, $0)) }
      } else if node.valueSize == BTreeNode.pointerSize, let list = deviceList(node) {
        pointers[block] = list
      }
    }

    /// The entries of a leaf in which every key can be a device's id and every value a block. A
    /// mapping's value can't, but for that of data block 0, which a device maps once at most.
    private func deviceList(_ leaf: BTreeNode) -> [Pointer]? {
      guard let keys = leaf.keys, keys.upperBound <= DeviceDetails.deviceIDMaximum
      else { return nil }
      var list: [Pointer] = []
      for entry in 0..<leaf.entryCount {
        guard let block = MetadataBlock(pointer: leaf.value(entry), count: blockCount)
        else { return nil }
        list.append(Pointer(key: leaf.key(entry), child: block.number))
      }
      return list
    }
  }
}
