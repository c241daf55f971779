internal import PersistentData

/// The mappings of a device in an old state, as far as its tree is still there.
struct RecoveredTree: Sendable {
  /// Ascending by virtual block.
  private(set) var runs: [MappingRun] = []
  /// Virtual blocks whose mappings are gone; where nothing was mapped, nothing is lost.
  private(set) var lost: [ClosedRange<UInt64>] = []
  /// In key order.
  private(set) var leaves: [MetadataBlock] = []

  var mappingCount: UInt64 { runs.reduce(0) { $0 + $1.length } }

  /// Memory grows with the mappings of this one device.
  init(_ lists: DeviceLists, below root: MetadataBlock, in file: BlockFile) {
    self.init(leavesOf: lists, below: root)
    let contents = RecoveredTree.runs(of: leaves.sorted(), in: file)
    runs = leaves.flatMap { contents[$0, default: []] }
  }

  /// Without its mappings.
  init(leavesOf lists: DeviceLists, below root: MetadataBlock) {
    for bottom in lists.mappings.bottoms(lists.census, below: root) {
      switch bottom {
      case .leaf(let block): leaves.append(block)
      case .missing(let keys): lost.append(keys)
      }
    }
  }

  /// The mappings of `leaves`, which are ascending, by leaf.
  static func runs(of leaves: [MetadataBlock], in file: BlockFile) -> [MetadataBlock: [MappingRun]]
  {
    let visitors = BlockScan(file, leaves).run { Visitor(leaves: leaves) }
    return visitors.reduce(into: [:]) { all, visitor in
      all.merge(visitor.runs) { first, _ in first }
    }
  }

  private struct Visitor: BlockVisitor {
    let leaves: [MetadataBlock]
    private(set) var runs: [MetadataBlock: [MappingRun]] = [:]

    init(leaves: [MetadataBlock]) { self.leaves = leaves }

    mutating func unreadable(_ index: Int, _ error: IOError) {}

    /// The census found the leaf sound.
    mutating func visit(_ index: Int, _ bytes: RawSpan) {
      guard BlockKind(of: bytes) == .btreeNode else { return }
      let leaf = BTreeNode(bytes)
      var runs: [MappingRun] = []
      for entry in 0..<leaf.entryCount {
        runs.appendJoining(MappingRun(leaf.key(entry), Mapping(leaf.value(entry))))
      }
      self.runs[leaves[index]] = runs
    }
  }
}
