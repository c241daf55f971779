package import PersistentData

/// The two trees of devices that a superblock leads to.
package enum RootKind: Sendable {
  /// From a device's id to the root of its mappings.
  case mappings
  /// From a device's id to its details.
  case details

  private var leafValueSize: Int { self == .mappings ? 8 : DeviceDetails.Layout.size }

  /// Why no such tree begins in a block, as the end of a sentence; `nil` where one may.
  ///
  /// The block itself has to be sound, and the first leaf below it, as far as it can be read, of
  /// the right kind. What else is wrong below it is for a check to find.
  package func fault(of root: UInt64, in file: BlockFile) throws(IOError) -> String? {
    let blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    if root == 0 { return "that is the superblock" }
    guard root < blockCount else { return "the device ends with block \(blockCount - 1)" }
    var block = MetadataBlock(UInt32(root))
    // A tree of devices has few levels; only wrong blocks lead deeper than this.
    for level in 0..<8 {
      let step = try file.withBlock(block) { bytes in self.step(bytes, block) }
      switch step {
      case nil: return level == 0 ? "that block is not a sound B-tree node" : nil
      case .down(let child):
        guard child > 0, child < blockCount else { return nil }
        block = MetadataBlock(UInt32(child))
      case .otherKind: return "the tree that begins there is of another kind"
      case .leaf(let values):
        return try isPlausible(values, file, blockCount)
          ? nil : "the tree that begins there is of another kind"
      }
    }
    return nil
  }

  private enum Step {
    case down(UInt64)
    /// With the values of a leaf of `mappings`.
    case leaf([UInt64])
    case otherKind
  }

  /// `nil` where the block isn't a sound node.
  private func step(_ bytes: RawSpan, _ block: MetadataBlock) -> Step? {
    let node = BTreeNode(bytes)
    guard BlockKind(of: bytes) == .btreeNode, node.block == UInt64(block.number),
      let kind = node.kind
    else { return nil }
    let valueSize = kind == .leaf ? leafValueSize : BTreeNode.pointerSize
    guard node.valueSize == valueSize else { return .otherKind }
    guard node.entryCount <= node.maxEntries,
      node.maxEntries <= BTreeNode.capacity(valueSize: valueSize)
    else { return nil }
    if kind == .internal { return node.entryCount == 0 ? nil : .down(node.value(0)) }
    return .leaf(self == .details ? [] : (0..<node.entryCount).map { node.value($0) })
  }

  /// Whether these can be the roots of devices: values in a device's own leaf hold data blocks in
  /// their upper bits, and point beyond the metadata.
  private func isPlausible(
    _ values: [UInt64], _ file: BlockFile, _ blockCount: UInt64
  ) throws(IOError) -> Bool {
    let inside = values.filter { $0 > 0 && $0 < blockCount }
    if values.isEmpty { return true }
    guard inside.count > values.count / 2 else { return false }
    for value in inside {
      let kind = try file.withBlock(MetadataBlock(UInt32(value))) { BlockKind(of: $0) }
      if kind == .btreeNode { return true }
    }
    return false
  }
}
