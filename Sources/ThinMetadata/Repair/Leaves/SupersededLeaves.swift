internal import PersistentData

/// Leaves of mapping trees that are no longer in use, as far as they overlap lost ones.
///
/// Kernels never overwrite a committed leaf: they write a new one, and the old one stays until its
/// block is allocated again. It names neither its device nor its age.
struct SupersededLeaves: Sendable {
  /// The most mappings kept of all copies together: there can be any number of old copies.
  private static let limit = 1 << 20

  /// A copy's mappings that may have stood in one lost leaf.
  struct Copy: Sendable {
    let block: MetadataBlock
    /// Index of the lost leaf.
    let leaf: Int
    var entries: [(key: UInt64, mapping: Mapping)]
    /// Whether all its mappings there are to data blocks that are short of a reference.
    var fitsWhole: Bool
  }

  private(set) var copies: [Copy] = []

  /// `isInUse`: whether a metadata block is allocated; `nil` when that can't be told.
  init(
    _ reader: PoolReader, _ census: BlockCensus, _ leaves: [LostLeaf], _ deficits: DataDeficits,
    isInUse: (MetadataBlock) -> Bool?
  ) {
    let blocks = census.nodes.all.filter { node in
      guard let keys = node.keys, node.isLeafOfNumbers, census.pointers[node.block] == nil,
        isInUse(node.block) == false
      else { return false }
      return leaves.contains { $0.keys.overlaps(keys) }
    }.map(\.block)
    let ranges = leaves.map(\.keys)
    let limits = reader.limits
    let visitors = BlockScan(reader.file, blocks).run {
      Visitor(blocks: blocks, ranges: ranges, deficits: deficits, limits: limits)
    }
    copies = visitors.flatMap(\.copies).sorted { ($0.block, $0.leaf) < ($1.block, $1.leaf) }
  }

  private struct Visitor: BlockVisitor {
    let blocks: [MetadataBlock]
    let ranges: [ClosedRange<UInt64>]
    let deficits: DataDeficits
    let limits: MappingLeaf.Limits
    var copies: [Copy] = []
    var entryCount = 0

    mutating func unreadable(_ index: Int, _ error: IOError) {}

    mutating func visit(_ index: Int, _ bytes: RawSpan) {
      let leaf = BTreeNode(bytes)
      guard BlockKind(of: bytes) == .btreeNode,
        leaf.isSound(in: blocks[index]), entryCount < SupersededLeaves.limit
      else { return }
      for lost in ranges.indices {
        var copy = Copy(block: blocks[index], leaf: lost, entries: [], fitsWhole: true)
        for entry in 0..<leaf.entryCount where ranges[lost].contains(leaf.key(entry)) {
          let mapping = Mapping(leaf.value(entry))
          if deficits.missing[mapping.dataBlock] != nil, mapping.time <= limits.time {
            copy.entries.append((leaf.key(entry), mapping))
          } else {
            copy.fitsWhole = false
          }
        }
        entryCount += copy.entries.count
        if !copy.entries.isEmpty { copies.append(copy) }
      }
    }
  }
}
