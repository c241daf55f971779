internal import PersistentData

/// A state of an era device.
struct EraState {
  let roots: Roots
  /// The oldest and the newest era that have an archived writeset.
  let eras: ClosedRange<UInt64>?
  /// How far this state has come: the newest era, but for the open one, in which anything was
  /// written, be it in a writeset or in the array already; blocks written since; archived writesets
  /// that were put into the array and dropped; and the newest archived era.
  let age: [UInt64]
  /// Whether the era array has no later era than that of the oldest archived writeset, which is the
  /// next to be put there. If it has, a later state was written over parts of this one.
  ///
  /// Source: Linux, drivers/md/dm-era-target.c, `metadata_digest_lookup_writeset`.
  let isConsistent: Bool
  /// Whether all of the era array can be read.
  let isIntact: Bool
  /// The era array and all writesets, the open one too.
  let arrays: [Array]
  private let state: MetadataState

  /// Where it is written when blocks were.
  struct Array: Hashable {
    enum Kind: Hashable {
      case eras
      /// `era`: `nil` for the open one if the era before it isn't known.
      case writeset(era: UInt32?)

      var shape: ArrayShape {
        self == .eras ? EraReader.Structure.eraArray : EraReader.Structure.writeset
      }
    }

    let kind: Kind
    let root: MetadataBlock
  }

  struct Roots {
    var writesets: MetadataBlock?
    var eraArray: MetadataBlock?
    var current: MetadataBlock?
    var refCounts: UInt64 = 0
    var snapshot: MetadataBlock?
  }

  /// `nil` when this isn't a state of an era device.
  init?(
    _ state: MetadataState, in file: BlockFile, _ blockCount: UInt64,
    _ arrays: inout SharedArrays
  ) {
    var roots = Roots()
    for (root, _) in state.openReferences {
      switch TreeLook(below: root, in: file, blockCount: blockCount) {
      case .array(4): roots.eraArray = root
      case .array(8): roots.current = root
      case .tree(Writeset.Layout.size): roots.writesets = root
      case .tree(4): roots.refCounts = UInt64(root.number)
      case .emptyArray where roots.eraArray == nil: roots.eraArray = root
      case nil where file.isEraSuperblock(root): roots.snapshot = root
      default: break
      }
    }
    guard roots.writesets != nil || roots.eraArray != nil else { return nil }
    self.state = state
    self.roots = roots
    let writesets = roots.writesets.map { EraState.writesets(below: $0, file) } ?? []
    eras = writesets.first.flatMap { first in writesets.last.map { first.0...$0.0 } }
    let open = roots.current.map { arrays.bitCount(below: $0) } ?? 0
    let written = writesets.last { _, writeset in
      MetadataBlock(pointer: writeset.root, count: blockCount)
        .map { arrays.bitCount(below: $0) > 0 } ?? true
    }
    let array = roots.eraArray.map { arrays.eras(below: $0) }
    let digested = array.map { UInt64($0.highest) } ?? 0
    age = [
      max(written?.0 ?? 0, digested), UInt64(open), eras?.lowerBound ?? .max,
      eras?.upperBound ?? 0,
    ]
    isConsistent = eras.map { digested <= $0.lowerBound } ?? true
    isIntact = array?.isWhole ?? false
    let sets = writesets.map { era, writeset in
      (UInt32(clamping: era), MetadataBlock(pointer: writeset.root, count: blockCount))
    }
    let openEra = eras.map { UInt32(clamping: min($0.upperBound, .max - 1) + 1) }
    let known = sets + [(openEra, roots.current)]
    self.arrays =
      known.compactMap { era, root in root.map { Array(kind: .writeset(era: era), root: $0) } }
      + (roots.eraArray.map { [Array(kind: .eras, root: $0)] } ?? [])
  }

  /// Ascending by era.
  private static func writesets(
    below root: MetadataBlock, _ file: BlockFile
  ) -> [(UInt64, Writeset)] {
    var usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    var findings = Findings()
    return LeafContents(
      EraReader.Structure.writesetTree, roots: [UInt64(root.number)], in: file, usage: &usage,
      findings: &findings
    ) { leaf, entry in Writeset(leaf, entry) }.entries(below: UInt64(root.number)).entries
      .sorted { $0.0 < $1.0 }
  }

  /// A superblock that leads to this state.
  func superblock(_ file: BlockFile, _ overrides: EraOverrides) -> EraSuperblock {
    let copy = roots.snapshot.flatMap { block in
      try? file.withBlock(block) { EraSuperblock($0) }
    }
    let found = roots.eraArray.map { ArrayExtent(below: $0, 4, in: file).count } ?? 0
    let count = max(UInt32(clamping: found), overrides.blockCount ?? 0)
    // Archived eras go up to the one before the open era.
    let newest = eras.map { UInt32(clamping: $0.upperBound) } ?? copy?.currentEra ?? 0
    let isOpen = roots.current != nil
    let era = newest + (isOpen && newest < .max ? 1 : 0)
    let header = EraHeader(
      dataBlockSectors: overrides.dataBlockSectors ?? copy?.dataBlockSectors ?? 0,
      blockCount: count, currentEra: eras == nil ? max(era, overrides.currentEra ?? 0) : era)
    let map = SpaceMapRoot(
      blockCount: state.countedBlocks, allocatedCount: 0, bitmapRoot: UInt64(state.index.number),
      refCountRoot: roots.refCounts)
    var superblock = EraSuperblock(
      header, metadataSpaceMap: map, writesetRoot: UInt64(roots.writesets?.number ?? 0),
      eraArrayRoot: UInt64(roots.eraArray?.number ?? 0))
    superblock.currentWriteset = Writeset(
      bitCount: count, root: UInt64(roots.current?.number ?? 0))
    superblock.heldRoot = UInt64(roots.snapshot?.number ?? 0)
    return superblock
  }
}

/// What arrays of states hold that share blocks and writesets: each is read once.
struct SharedArrays {
  private let file: BlockFile
  /// By block of an era array; `nil` if it can't be read.
  private var highest: [MetadataBlock: UInt32?] = [:]
  /// By root of a bitset.
  private var counts: [MetadataBlock: Int] = [:]

  init(_ file: BlockFile) { self.file = file }

  /// The highest era in the blocks of an era array that can be read, and whether all can be.
  mutating func eras(below root: MetadataBlock) -> (highest: UInt32, isWhole: Bool) {
    let extent = ArrayExtent(below: root, 4, in: file)
    var (result, isWhole): (UInt32, Bool) = (0, extent.isWhole)
    for case let block? in extent.blocks {
      let era = highest[block] ?? file.highestEra(in: block)
      highest.updateValue(era, forKey: block)
      result = max(result, era ?? 0)
      if era == nil { isWhole = false }
    }
    return (result, isWhole)
  }

  /// How many bits of a bitset are set.
  mutating func bitCount(below root: MetadataBlock) -> Int {
    if let count = counts[root] { return count }
    let extent = ArrayExtent(below: root, 8, in: file)
    var array = StoredArray(
      EraReader.Structure.writeset, entryCount: extent.count * UInt64(UInt64.bitWidth),
      blocks: extent.blocks, in: file)
    var findings = Findings()
    let count = Bitset(&array, findings: &findings).count
    counts[root] = count
    return count
  }
}

extension BlockFile {
  /// The highest era in a block of an era array; `nil` if there is none, or it can't be read.
  func highestEra(in block: MetadataBlock) -> UInt32? {
    let era = try? withBlock(block) { bytes -> UInt32? in
      let array = ArrayBlock(bytes)
      guard BlockKind(of: bytes) == .array, array.isSound(in: block), array.valueSize == 4
      else { return nil }
      return array.highest(array.entryCount)
    }
    return era ?? nil
  }

  fileprivate func isEraSuperblock(_ block: MetadataBlock) -> Bool {
    (try? withBlock(block) { BlockKind(of: $0) == .eraSuperblock }) ?? false
  }
}
