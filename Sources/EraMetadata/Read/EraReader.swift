package import PersistentData

/// The writeset of one era.
package struct EraWriteset: Hashable, Sendable {
  package let era: UInt64
  package let stored: Writeset
}

/// What a superblock, the live one or the metadata snapshot's, leads to.
package struct EraView: Sendable {
  package let superblock: EraSuperblock
  /// Archived writesets, ascending by era.
  package fileprivate(set) var archived: [EraWriteset] = []
  /// The writeset of the current era, where there is one.
  package fileprivate(set) var current: EraWriteset?
  /// By origin block: the last era in which it was written, as far as writesets were digested.
  package var eraArray: StoredArray
  /// Eras whose writeset is lost because the tree of writesets is damaged.
  package fileprivate(set) var lostEras: [ClosedRange<UInt64>] = []
}

/// Era metadata from its superblock down to its arrays.
///
/// The one way in: check, dump, repair and the rest all read through it, and differ in what they do
/// with the findings.
package struct EraReader: Sendable {
  /// The parts of era metadata, in report order.
  package enum Structure {
    package static let superblock = Site("superblock", order: 0)
    package static let metadataSnapshot = Site("metadata snapshot", order: 1)
    package static let writesetTree = Tree(
      StructureLabel("writeset tree", order: 2, keyUnit: .era),
      leafValueSize: Writeset.Layout.size)
    package static let writeset = ArrayShape.bitset(
      StructureLabel("writeset", order: 3, keyUnit: .originBlock))
    package static let eraArray = ArrayShape(
      StructureLabel("era array", order: 4, keyUnit: .originBlock), valueSize: 4)
    package static let metadataSpaceMap = StructureLabel(
      "metadata space map", order: 5, keyUnit: .metadataBlock)
    package static let metadata = Site("metadata", order: 6)
  }

  package let file: BlockFile
  package var usage: BlockUsage
  package var findings: Findings
  package private(set) var live: EraView
  /// What the metadata snapshot leads to, when one is held and could be read.
  package private(set) var held: EraView?
  private var writesets: StoredArrays

  /// Reads the tree of writesets, and the index trees of bitsets and of the era array; the blocks
  /// below those are read later.
  ///
  /// `superblock`: already read, and good enough to follow its roots.
  package init(_ file: BlockFile, _ superblock: EraSuperblock, findings: Findings) {
    self.file = file
    self.findings = findings
    usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    _ = usage.claim(.superblock, for: Structure.superblock.structure)
    usage.references.increment(0)
    live = EraView(superblock, in: file)
    writesets = StoredArrays(
      Structure.writeset, roots: [], in: file, usage: &usage, findings: &self.findings)
    held = readHeldSuperblock().map { EraView($0, in: file) }
    readWritesets()
    readEraArrays()
  }

  private mutating func readHeldSuperblock() -> EraSuperblock? {
    let pointer = live.superblock.heldRoot
    guard pointer != 0 else { return nil }
    let site = Structure.metadataSnapshot
    guard let block = usage.follow(pointer, from: site, &findings) else { return nil }
    _ = usage.claim(block, for: site.structure)
    let superblock = EraSuperblock.read(block, of: file, at: site, into: &findings)
    superblock?.check(home: block, at: site, into: &findings)
    return superblock
  }

  private var views: [EraView] { [live] + (held.map { [$0] } ?? []) }

  private mutating func readWritesets() {
    let roots = views.map(\.superblock.writesetRoot)
    let tree = LeafContents(
      Structure.writesetTree, roots: roots, in: file, usage: &usage, findings: &findings
    ) { leaf, index in Writeset(leaf, index) }
    // A leaf of the tree holds its references once, however many trees share it.
    let shared = tree.distinctEntries(telling: roots[0]).map { (era: $0.key, set: $0.value) }
    // The copy's current writeset is as old as the copy: it is not followed.
    let current = live.superblock.currentWriteset
    let all = shared.map(\.set) + (current.root == 0 ? [] : [current])
    writesets = StoredArrays(
      Structure.writeset, roots: all.map(\.array), in: file, usage: &usage, findings: &findings)
    live.take(tree.entries(below: roots[0]))
    if current.root != 0 {
      live.current = EraWriteset(era: UInt64(live.superblock.currentEra), stored: current)
    }
    if roots.count > 1 { held?.take(tree.entries(below: roots[1])) }
  }

  /// The bitset of a writeset, its blocks still to be read.
  package func bits(of writeset: EraWriteset) -> StoredArray {
    writesets.array(writeset.stored.array)
  }

  private mutating func readEraArrays() {
    let roots = views.map {
      StoredArrays.Root($0.superblock.eraArrayRoot, entryCount: UInt64($0.superblock.blockCount))
    }
    let arrays = StoredArrays(
      Structure.eraArray, roots: roots, in: file, usage: &usage, findings: &findings)
    live.eraArray = arrays.array(roots[0])
    if roots.count > 1 { held?.eraArray = arrays.array(roots[1]) }
  }
}

extension Writeset {
  fileprivate var array: StoredArrays.Root {
    StoredArrays.Root(root, entryCount: UInt64(bitCount))
  }
}

extension EraView {
  fileprivate mutating func take(
    _ read: (entries: [(UInt64, Writeset)], lost: [ClosedRange<UInt64>])
  ) {
    archived = read.entries.map { EraWriteset(era: $0.0, stored: $0.1) }
    lostEras = read.lost
  }

  /// Nothing read yet.
  fileprivate init(_ superblock: EraSuperblock, in file: BlockFile) {
    self.superblock = superblock
    eraArray = StoredArray(
      EraReader.Structure.eraArray, entryCount: 0, blocks: [], in: file)
  }
}
