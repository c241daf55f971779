internal import PersistentData

/// A summary of every sound B-tree node of a device, by block. There may be millions.
struct NodeTable: Sendable {
  /// A B-tree node that knows its own number and is sound in itself.
  struct Node: Sendable {
    private let firstKey: UInt64
    private let lastKey: UInt64
    let block: MetadataBlock
    private let size: UInt16
    private let count: UInt16
    let isLeaf: Bool

    init(_ node: BTreeNode, in block: MetadataBlock) {
      firstKey = node.keys?.lowerBound ?? 0
      lastKey = node.keys?.upperBound ?? 0
      self.block = block
      // Both are less than a block: the node is sound.
      size = UInt16(node.valueSize)
      count = UInt16(node.entryCount)
      isLeaf = node.kind == .leaf
    }

    /// Bytes in a value.
    var valueSize: Int { Int(size) }
    var entryCount: Int { Int(count) }
    /// The first and the last key; `nil` without entries.
    var keys: ClosedRange<UInt64>? { count == 0 ? nil : firstKey...lastKey }
    /// Whether it can be a leaf of a mapping tree, or of the list of devices.
    var isLeafOfNumbers: Bool { isLeaf && size == Mapping.valueSize }
  }

  /// Ascending by block.
  let all: [Node]
  /// In `all`.
  private var places: BlockPlaces

  /// `parts`: nodes of a device of `blockCount` blocks, in any order.
  init(_ parts: [[Node]], blockCount: UInt64) {
    all = parts.joined().sorted { $0.block < $1.block }
    places = BlockPlaces(blockCount: blockCount)
    for (index, node) in all.enumerated() { places[node.block.number] = index }
  }

  /// `nil` for a block that isn't a sound node.
  subscript(block: MetadataBlock) -> Node? {
    UInt64(block.number) < places.blockCount ? places[block.number].map { all[$0] } : nil
  }
}
