internal import PersistentData

/// A superblock corrected to lead where the space map says that it must, with as many blocks as the
/// era array: its own numbers are only one more witness.
struct BelievedEraSuperblock: Sendable {
  private(set) var superblock: EraSuperblock
  /// How many blocks it said before, where that is corrected.
  private(set) var blockCountBefore: UInt32?
  /// Whether it led elsewhere.
  private(set) var isRootFound = false

  private let file: BlockFile
  private let blockCount: UInt64

  /// `isRemade`: whether it was itself made from everything else.
  init(
    _ superblock: EraSuperblock, isRemade: Bool, _ overrides: EraOverrides, in file: BlockFile
  ) {
    self.superblock = superblock
    self.file = file
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    if isRemade { return }
    correctRoots()
    guard overrides.blockCount == nil, look(superblock.eraArrayRoot) == .array(valueSize: 4),
      let believed, believed != UInt64(superblock.blockCount),
      let number = UInt32(exactly: believed)
    else { return }
    blockCountBefore = superblock.blockCount
    self.superblock.blockCount = number
  }

  private func look(_ pointer: UInt64) -> TreeLook? {
    MetadataBlock(pointer: pointer, count: blockCount).flatMap {
      TreeLook(below: $0, in: file, blockCount: blockCount)
    }
  }

  /// How many blocks the era array has.
  private var believed: UInt64? {
    MetadataBlock(pointer: superblock.eraArrayRoot, count: blockCount).map {
      // The kernel gives writesets as many bits as there are blocks.
      ArrayExtent(below: $0, 4, in: file).believed(
        UInt64(superblock.blockCount), 4, witness: UInt64(superblock.currentWriteset.bitCount))
    }
  }

  private mutating func correctRoots() {
    let writesetTree = TreeLook.tree(leafValueSize: Writeset.Layout.size)
    let eraLook = look(superblock.eraArrayRoot)
    let isArrayDoubtful =
      eraLook != .array(valueSize: 4) && !(eraLook == .emptyArray && superblock.blockCount == 0)
      || believed != UInt64(superblock.blockCount)
    let current = superblock.currentWriteset.root
    let isCurrentDoubtful = current != 0 && look(current) != .array(valueSize: 8)
    let isTreeDoubtful = look(superblock.writesetRoot) != writesetTree
    let map = superblock.metadataSpaceMap
    guard isArrayDoubtful || isTreeDoubtful || isCurrentDoubtful,
      let index = MetadataBlock(pointer: map.bitmapRoot, count: file.blockCount),
      let state = MetadataState(StateCensus(ofEra: file), index: index)
    else { return }
    let known: Set<UInt64> = [
      superblock.eraArrayRoot, superblock.writesetRoot, current, superblock.heldRoot,
      superblock.metadataSpaceMap.refCountRoot,
    ]
    let find = { [file] (look: TreeLook) in state.openRoot(like: [look], butNot: known, in: file) }
    if isArrayDoubtful, let root = find(.array(valueSize: 4)) {
      superblock.eraArrayRoot = root
      isRootFound = true
    }
    if isTreeDoubtful, let root = find(writesetTree) {
      superblock.writesetRoot = root
      isRootFound = true
    }
    if isCurrentDoubtful, let root = find(.array(valueSize: 8)) {
      superblock.currentWriteset.root = root
      isRootFound = true
    }
  }
}
