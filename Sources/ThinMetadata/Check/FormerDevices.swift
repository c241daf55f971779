internal import PersistentData

extension PoolReader {
  /// Whether blocks that the pool doesn't use hold details of devices with mappings: it had devices
  /// once, or was formatted over a pool that had. Only for a pool that has none itself.
  ///
  /// Looks where pools write first; metadata devices can be large, and this is asked each time that
  /// a pool is activated.
  var hasFormerDevices: Bool {
    let end = UInt32(min(usage.blockCount, PoolReader.formerBlocks))
    let blocks = (1..<max(1, end)).filter { !usage.isClaimed(MetadataBlock($0)) }
    let visitors = BlockScan(file, blocks).run { FormerDetailsVisitor(blocks: blocks) }
    return visitors.contains(where: \.hasFound)
  }

  /// 64 MiB.
  private static var formerBlocks: UInt64 { 1 << 14 }
}

/// Looks for leaves with details of devices that have mappings.
private struct FormerDetailsVisitor: BlockVisitor {
  let blocks: [UInt32]
  private(set) var hasFound = false

  init(blocks: [UInt32]) { self.blocks = blocks }

  mutating func unreadable(_ index: Int, _ error: IOError) {}

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    let node = BTreeNode(bytes)
    guard !hasFound, node.kind == .leaf, node.valueSize == DeviceDetails.Layout.size,
      BlockKind(of: bytes) == .btreeNode, node.isSound(in: MetadataBlock(blocks[index]))
    else { return }
    hasFound = (0..<node.entryCount).contains { DeviceDetails(node, $0).mappedBlocks > 0 }
  }
}
