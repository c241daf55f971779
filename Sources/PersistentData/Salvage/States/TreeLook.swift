/// The shape of the tree below a root, which shows what it may be for.
package enum TreeLook: Hashable, Sendable {
  /// An array of values of this many bytes.
  case array(valueSize: Int)
  /// An array without values, of whatever kind.
  case emptyArray
  /// A tree whose leaves have values of this size, so they can't point to array blocks.
  case tree(leafValueSize: Int)

  /// Goes down to the first leaf, and to the first array block below that.
  package init?(below root: MetadataBlock, in file: BlockFile, blockCount: UInt64) {
    var block = root
    for _ in 0...Tree.levelLimit {
      let step = try? file.withBlock(block) { bytes -> (Bool, Int, UInt64?)? in
        let node = BTreeNode(bytes)
        guard BlockFault(bytes, as: .btreeNode, in: block) == nil, node.isSound(in: block)
        else { return nil }
        let hasPointers = node.entryCount > 0 && node.valueSize == BTreeNode.pointerSize
        return (node.kind == .leaf, node.valueSize, hasPointers ? node.value(0) : nil)
      }
      guard let (isLeaf, valueSize, target) = step ?? nil else { return nil }
      guard valueSize == BTreeNode.pointerSize else {
        self = .tree(leafValueSize: valueSize)
        return
      }
      guard let target else {
        self = .emptyArray
        return
      }
      guard let next = MetadataBlock(pointer: target, count: blockCount) else { return nil }
      if isLeaf {
        let size = try? file.withBlock(next) { bytes in
          BlockKind(of: bytes) == .array ? ArrayBlock(bytes).valueSize : nil
        }
        guard let size = size ?? nil else { return nil }
        self = .array(valueSize: size)
        return
      }
      block = next
    }
    return nil
  }
}
