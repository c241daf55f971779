internal import PersistentData

/// A cache whose superblock is lost, found by its other blocks.
struct LostCacheSuperblock: Sendable {
  /// The superblocks that the newest states can have had: one, unless it isn't known which state
  /// that is. What only the superblock knew is 0.
  let superblocks: [CacheSuperblock]

  /// How many other states the device holds.
  let otherStates: Int

  /// Whether there are no more states than could be compared.
  let isExhaustive: Bool

  init?(_ file: BlockFile, _ overrides: CacheOverrides) {
    let census = StateCensus(ofCache: file)
    let search = StateSearch(census)
    func states(_ states: [MetadataState]) -> [CacheState] {
      states.compactMap { CacheState($0, in: file, census.blockCount, overrides) }
    }
    var found = states(search.candidates).filter { !$0.isUnused }
    if let given = overrides.cacheBlockCount.map(UInt64.init) {
      let fitting = found.filter { $0.cacheBlockCount == given }
      if !fitting.isEmpty { found = fitting }
    }
    // A state that was never used is only the oldest one, if there is any other.
    if found.isEmpty, !census.holdsArrayBlocks {
      found = states(search.states).suffix(1)
    }
    if found.isEmpty { return nil }
    superblocks = found.map { $0.superblock(overrides) }
    otherStates = search.states.count - 1
    isExhaustive = search.isExhaustive
  }

  /// What has to be given, as what is left doesn't tell it, or not for certain.
  func missingNumbers(_ overrides: CacheOverrides) -> [CacheSalvageError.MissingNumber] {
    var missing: [CacheSalvageError.MissingNumber] = []
    if overrides.dataBlockSectors == nil { missing.append(.dataBlockSectors) }
    let isCountOpen = superblocks.contains { $0.cacheBlockCount != superblocks[0].cacheBlockCount }
    if overrides.cacheBlockCount == nil, isCountOpen { missing.append(.cacheBlockCount) }
    return missing
  }
}

extension StateCensus {
  init(ofCache file: BlockFile) {
    self.init(file) { bytes, block in
      switch BlockKind(of: bytes) {
      case .btreeNode:
        // Leaves with values of another size belong to other targets.
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

extension StateCensus {
  /// Whether any block of an array is there, of whatever age: a cache that was used has some.
  fileprivate var holdsArrayBlocks: Bool {
    metadataBlocks.contains { block in
      let kind = try? file.withBlock(block) { BlockKind(of: $0) }
      return kind == .array
    }
  }
}

/// A state of a cache.
private struct CacheState {
  /// How many cache blocks the mappings are for.
  let cacheBlockCount: UInt64
  /// Whether no cache was activated with this metadata yet.
  let isUnused: Bool
  private let mappings: MetadataBlock
  private let hasDirtyBitset: Bool
  private let refCountRoot: UInt64
  private let state: MetadataState

  /// `nil` when this isn't a state of a cache.
  init?(
    _ state: MetadataState, in file: BlockFile, _ blockCount: UInt64, _ overrides: CacheOverrides
  ) {
    var arrays: [(root: MetadataBlock, count: UInt64)] = []
    var emptyArrays: [MetadataBlock] = []
    var (refCountRoot, hintCount): (UInt64, UInt64?) = (0, nil)
    for (root, count) in state.openReferences {
      switch TreeLook(below: root, in: file, blockCount: blockCount) {
      case .array(8): arrays.append((root, ArrayExtent(below: root, 8, in: file).count))
      case .array(4): hintCount = ArrayExtent(below: root, 4, in: file).count
      case .emptyArray: emptyArrays += Array(repeating: root, count: count)
      case .tree(4): refCountRoot = UInt64(root.number)
      default: break
      }
    }
    self.state = state
    self.refCountRoot = refCountRoot
    if arrays.isEmpty, hintCount == nil {
      // Mappings and discards, and dirty bits if there are any.
      guard state.isWhole, refCountRoot != 0, 2...3 ~= emptyArrays.count else { return nil }
      (cacheBlockCount, isUnused, mappings) = (0, true, emptyArrays[0])
      hasDirtyBitset = emptyArrays.count == 3
      return
    }
    // Hints are written anew after the cache was shrunk, mappings may have a block too many.
    if let hintCount {
      arrays = arrays.map { array in
        ArrayExtent.canShrink(from: array.count, to: hintCount, 8) ? (array.root, hintCount) : array
      }
    }
    let possible = arrays.filter { array in
      (hintCount ?? array.count) == array.count && CacheState.areMappings(array.root, file)
    }
    let given = overrides.cacheBlockCount.map(UInt64.init)
    // Bitsets of as many bits have far fewer words.
    guard
      let mapping = possible.first(where: { $0.count == given })
        ?? possible.max(by: { $0.count < $1.count }),
      mapping.count <= UInt32.max
    else { return nil }
    (cacheBlockCount, isUnused, mappings) = (mapping.count, false, mapping.root)
    hasDirtyBitset = emptyArrays.count + arrays.count - 1 > 1
  }

  /// Whether all that the blocks of an array hold can be mappings.
  private static func areMappings(_ root: MetadataBlock, _ file: BlockFile) -> Bool {
    let shape = CacheReader.Structure.mappings
    let extent = ArrayExtent(below: root, 8, in: file)
    var array = StoredArray(
      shape, entryCount: extent.count, blocks: extent.blocks, in: file)
    var findings = Findings()
    let visitors = array.readBlocks(findings: &findings) { MappingVisitor(.ofAnyVersion) }
    return visitors.allSatisfy { $0.findings.worst != .error }
  }

  /// A superblock that leads to this state.
  func superblock(_ overrides: CacheOverrides) -> CacheSuperblock {
    // Where blocks of mappings are lost at the end, there are fewer of them than the cache has.
    let count = isUnused ? 0 : max(UInt32(cacheBlockCount), overrides.cacheBlockCount ?? 0)
    let header = CacheHeader(
      dataBlockSectors: overrides.dataBlockSectors ?? 0, cacheBlockCount: count,
      policy: overrides.policy ?? "smq", hintSize: 4)
    let map = SpaceMapRoot(
      blockCount: state.countedBlocks, allocatedCount: 0, bitmapRoot: UInt64(state.index.number),
      refCountRoot: refCountRoot)
    var roots = CacheRoots()
    roots.mappings = UInt64(mappings.number)
    var superblock = CacheSuperblock(
      header, roots, version: overrides.version ?? (hasDirtyBitset ? 2 : 1), map)
    superblock.policyHintSize = 4
    return superblock
  }
}
