internal import PersistentData

/// A superblock corrected to agree with the arrays: its own numbers are only one more witness.
struct BelievedCacheSuperblock: Sendable {
  private(set) var superblock: CacheSuperblock
  /// What it said before, where that is corrected.
  private(set) var cacheBlocksBefore: UInt32?
  private(set) var versionBefore: UInt32?
  /// Whether it led to something else than the mappings, which were found by the space map.
  private(set) var isRootFound = false

  /// Whether anything in it is wrong: then its flags can't be trusted either.
  var isCorrected: Bool { cacheBlocksBefore != nil || versionBefore != nil || isRootFound }

  private let file: BlockFile
  private let blockCount: UInt64

  /// `isRemade`: whether it was itself made from everything else.
  init(
    _ superblock: CacheSuperblock, isRemade: Bool, _ overrides: CacheOverrides, in file: BlockFile
  ) {
    self.superblock = superblock
    self.file = file
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    if isRemade { return }
    if overrides.version == nil { correctVersion() }
    if isRootDoubtful { correctRoot() }
    guard overrides.cacheBlockCount == nil, let extent, look == .array(valueSize: 8) else { return }
    let count = UInt64(superblock.cacheBlockCount)
    let believed = extent.believed(count, 8, witness: hintCount)
    guard believed != count, let number = UInt32(exactly: believed) else { return }
    cacheBlocksBefore = superblock.cacheBlockCount
    self.superblock.cacheBlockCount = number
  }

  private func look(_ pointer: UInt64) -> TreeLook? {
    MetadataBlock(pointer: pointer, count: blockCount).flatMap {
      TreeLook(below: $0, in: file, blockCount: blockCount)
    }
  }

  private var look: TreeLook? { look(superblock.mappingRoot) }

  private var extent: ArrayExtent? {
    MetadataBlock(pointer: superblock.mappingRoot, count: blockCount).map {
      ArrayExtent(below: $0, 8, in: file)
    }
  }

  /// How many blocks the cache has by its hints, one for each; `nil` where there are none.
  private var hintCount: UInt64? {
    guard look(superblock.hintRoot) == .array(valueSize: 4),
      let root = MetadataBlock(pointer: superblock.hintRoot, count: blockCount)
    else { return nil }
    let extent = ArrayExtent(below: root, 4, in: file)
    return extent.isWhole ? extent.count : nil
  }

  /// The second version has a dirty bitset, the first has none.
  private mutating func correctVersion() {
    let hasBitset: Bool
    switch look(superblock.dirtyRoot) {
    case .array(8), .emptyArray: hasBitset = true
    default: hasBitset = superblock.version > 1 && superblock.dirtyRoot != 0
    }
    let version: UInt32 = hasBitset ? 2 : 1
    guard version != superblock.version else { return }
    versionBefore = superblock.version
    superblock.version = version
  }

  /// The roots of the other trees.
  private var otherRoots: Set<UInt64> {
    [
      superblock.hintRoot, superblock.discardRoot, superblock.dirtyRoot,
      superblock.metadataSpaceMap.refCountRoot,
    ]
  }

  /// Whether the root of the mappings may belong to something else.
  private var isRootDoubtful: Bool {
    if otherRoots.contains(superblock.mappingRoot) { return true }
    let count = UInt64(superblock.cacheBlockCount)
    guard let look, let extent else { return true }
    switch look {
    case .array(8): return extent.believed(count, 8, witness: hintCount) != count
    case .emptyArray: return count > 0
    default: return true
    }
  }

  /// Takes the one array that the space map says is in use, and that nothing leads to.
  private mutating func correctRoot() {
    let map = superblock.metadataSpaceMap
    guard let index = MetadataBlock(pointer: map.bitmapRoot, count: file.blockCount),
      let state = MetadataState(StateCensus(ofCache: file), index: index),
      let root = state.openRoot(
        like: [.array(valueSize: 8)],
        butNot: otherRoots.union([superblock.mappingRoot]),
        in: file)
    else { return }
    superblock.mappingRoot = root
    isRootFound = true
  }
}
