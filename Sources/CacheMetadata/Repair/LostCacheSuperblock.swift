internal import PersistentData

/// A cache whose superblock is lost, found by its other blocks.
struct LostCacheSuperblock: Sendable {
  /// The superblocks that the newest states can have had: one, unless it can't be told which state
  /// that is. What only the superblock knew is 0.
  let superblocks: [CacheSuperblock]

  /// How many other states the device holds.
  let otherStates: Int

  init?(_ file: BlockFile, _ overrides: CacheOverrides) {
    let census = StateCensus(ofCache: file)
    let search = StateSearch(census)
    let found = search.candidates.compactMap { state in
      CacheSuperblock(state, in: file, census.blockCount, overrides)
    }
    if found.isEmpty { return nil }
    superblocks = found
    otherStates = search.states.count - 1
  }
}

extension StateCensus {
  init(ofCache file: BlockFile) {
    self.init(file) { bytes, block in
      switch BlockKind(of: bytes) {
      case .btreeNode:
        // Leaves of another size are those of other targets.
        BTreeNode(bytes).isOfCache ? BTreeNode(bytes).blockReferences(in: block) : nil
      case .array: ArrayBlock(bytes).block == UInt64(block.number) ? [] : nil
      default: nil
      }
    }
  }
}

extension BTreeNode {
  /// Whether a cache has such nodes: those of index trees, and leaves with large counts.
  fileprivate var isOfCache: Bool {
    valueSize == BTreeNode.pointerSize || kind == .leaf && valueSize == 4
  }
}

extension CacheSuperblock {
  /// A superblock that leads to a state; `nil` when that is no cache's.
  fileprivate init?(
    _ state: MetadataState, in file: BlockFile, _ blockCount: UInt64, _ overrides: CacheOverrides
  ) {
    var arrays: [(root: MetadataBlock, count: UInt64)] = []
    var (others, refCountRoot, hintCount): (Int, UInt64, UInt64?) = (0, 0, nil)
    for (root, count) in state.openReferences {
      switch TreeLook(below: root, in: file, blockCount: blockCount) {
      case .array(8): arrays.append((root, ArrayExtent(below: root, 8, in: file).count))
      case .array(4): hintCount = ArrayExtent(below: root, 4, in: file).count
      case .emptyArray: others += count
      case .tree(4): refCountRoot = UInt64(root.number)
      default: break
      }
    }
    // Hints are written anew after the cache was shrunk, mappings may have a block too many.
    if let hintCount {
      arrays = arrays.map { array in
        ArrayExtent.canShrink(from: array.count, to: hintCount, 8) ? (array.root, hintCount) : array
      }
    }
    let mappings = arrays.filter { array in
      (hintCount ?? array.count) == array.count && CacheSuperblock.isMappingArray(array.root, file)
    }
    let given = overrides.cacheBlockCount.map(UInt64.init)
    // Bitsets of as many bits have far fewer words.
    guard
      let mapping = mappings.first(where: { $0.count == given })
        ?? mappings.max(by: { $0.count < $1.count }),
      let count = UInt32(exactly: max(mapping.count, given ?? 0))
    else { return nil }
    others += arrays.count - 1
    let header = CacheHeader(
      dataBlockSectors: overrides.dataBlockSectors ?? 0,
      cacheBlockCount: count, policy: overrides.policy ?? "smq", hintSize: 4)
    let map = SpaceMapRoot(
      blockCount: state.countedBlocks, allocatedCount: 0, bitmapRoot: UInt64(state.index),
      refCountRoot: refCountRoot)
    var roots = CacheRoots()
    roots.mappings = UInt64(mapping.root.number)
    self.init(header, roots, version: overrides.version ?? (others > 1 ? 2 : 1), map)
    policyHintSize = 4
  }

  /// Whether all that the blocks of an array hold can be mappings.
  private static func isMappingArray(_ root: MetadataBlock, _ file: BlockFile) -> Bool {
    let shape = CacheReader.Structure.mappings
    let extent = ArrayExtent(below: root, 8, in: file)
    var array = StoredArray(
      shape, entryCount: extent.count, blocks: extent.blocks, in: file)
    var findings = Findings()
    let visitors = array.readBlocks(findings: &findings) {
      MappingVisitor(rules: .ofAnyVersion)
    }
    return visitors.allSatisfy { $0.findings.worst != .error }
  }
}
