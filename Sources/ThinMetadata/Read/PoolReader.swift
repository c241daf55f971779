package import PersistentData

/// A device as the pool's two trees have it.
package struct ThinDevice: Hashable, Sendable {
  package let id: UInt64
  /// Where its mapping tree starts; `nil` when the top-level tree has no usable entry.
  package var root: MetadataBlock?
  /// `nil` when the details tree has no entry.
  package var details: DeviceDetails?
}

/// Which roots to start from.
package struct RootChoice: Sendable {
  /// Look at the metadata snapshot alone.
  package var metadataSnapshot = false
  /// Look at the live pool alone, and only check that the metadata snapshot can be read.
  package var liveOnly = false
  package var mappingRoot: UInt64?
  package var detailsRoot: UInt64?
  /// Trees of devices that no entry leads to any more, each once per device that it belongs to;
  /// twice means two or more.
  package var orphans: [MetadataBlock] = []
  /// Look at the list of devices alone, and at none of their mapping trees.
  package var skipsMappings = false
  /// Don't keep the keys of their internal nodes; see `TreeWalk.forgetKeys`.
  package var forgetsKeys = false

  package init() {}
}

/// Thin-pool metadata from its superblock down to the devices' mapping trees.
///
/// The one way in: check, dump, repair and the rest all read through it, and differ in what they
/// do with the findings.
package struct PoolReader: Sendable {
  /// The trees and maps of a pool, in report order.
  package enum Structure {
    package static let superblock = Site("superblock", order: 0)
    package static let metadataSnapshot = Site("metadata snapshot", order: 1)
    package static let topLevel = Tree(
      StructureLabel("top-level mapping tree", order: 2, keyUnit: .device), leafValueSize: 8)
    package static let details = Tree(
      StructureLabel("details tree", order: 3, keyUnit: .device),
      leafValueSize: DeviceDetails.Layout.size)
    package static let mapping = Tree(
      StructureLabel("mapping tree", order: 4, keyUnit: .virtualBlock),
      leafValueSize: Mapping.valueSize, hasOwners: true)
    package static let dataSpaceMap = StructureLabel(
      "data space map", order: 5, keyUnit: .dataBlock)
    package static let metadataSpaceMap = StructureLabel(
      "metadata space map", order: 6, keyUnit: .metadataBlock)
    package static let pool = Site("pool", order: 7)
  }

  package let file: BlockFile
  package let superblock: Superblock
  /// The metadata snapshot's copy, when one is held and could be read.
  package let heldSuperblock: Superblock?
  /// The superblock whose roots were chosen: the live one, or the metadata snapshot's.
  package let chosenSuperblock: Superblock
  /// What is wrong with the metadata snapshot's superblock, where only the live pool is read.
  package private(set) var heldFindings = Findings()
  package var usage: BlockUsage
  package var findings: Findings
  private let trees: DeviceTrees
  /// The internal nodes of all mapping trees, the metadata snapshot's among them.
  package internal(set) var mappings: TreeWalk
  /// Ascending by id; those of the chosen roots.
  package internal(set) var devices: [ThinDevice]
  /// What mappings can be. The number of data blocks is believed as far as the metadata device has
  /// room for bitmaps.
  package internal(set) var limits: MappingLeaf.Limits

  /// Data blocks that the pool says it has.
  package var dataBlockCount: UInt64 { superblock.dataSpaceMap.blockCount }

  /// Reads the superblock, the two trees of devices and the inner nodes of all mapping trees.
  ///
  /// `superblock`: already read, and good enough to follow its roots.
  package init(
    _ file: BlockFile, _ superblock: Superblock, choosing choice: RootChoice, findings: Findings
  ) {
    var usage = BlockUsage(holdingSuperblockOf: file)
    var heldFindings = Findings()
    let held = PoolReader.heldSuperblock(of: superblock, in: file, &usage, &heldFindings)
    if choice.liveOnly {
      self.init(file, superblock, held: nil, choosing: choice, usage, findings)
      self.heldFindings = heldFindings
      return
    }
    var all = findings
    all.merge(heldFindings)
    self.init(file, superblock, held: held, choosing: choice, usage, all)
    if held != nil, !choice.metadataSnapshot, isLedAstray { leaveOutSnapshot(choice, findings) }
  }

  /// `held`: the metadata snapshot's superblock, if it is to be read. `usage`: with the blocks of
  /// both superblocks.
  private init(
    _ file: BlockFile, _ superblock: Superblock, held: Superblock?, choosing choice: RootChoice,
    _ usage: BlockUsage, _ findings: Findings
  ) {
    self.file = file
    self.superblock = superblock
    heldSuperblock = held
    let chosen = choice.metadataSnapshot ? held ?? superblock : superblock
    chosenSuperblock = chosen
    let pools = [chosen] + (choice.metadataSnapshot ? [] : [held].compactMap(\.self))
    var (usage, findings) = (usage, findings)
    trees = DeviceTrees(
      pools.map {
        DeviceTrees.Roots(
          topLevel: choice.mappingRoot ?? $0.mappingRoot,
          details: choice.detailsRoot ?? $0.detailsRoot)
      }, in: file, usage: &usage, findings: &findings)
    devices = trees.listings[0].devices
    // Details that were chosen beside mappings need not be theirs.
    let trustsTimes = choice.mappingRoot == nil && choice.detailsRoot == nil
    var roots = trees.mappingRoots(
      trustingTimes: trustsTimes, usage: &usage, findings: &findings)
    // Their devices and times are found out later, so everything they share counts.
    roots += choice.orphans.map { TreeRoot($0, reach: .tree(0)) }
    mappings = TreeWalk(
      Structure.mapping, roots: choice.skipsMappings ? [] : roots, in: file, usage: &usage,
      findings: &findings)
    if choice.forgetsKeys { mappings.forgetKeys() }
    limits = MappingLeaf.Limits(
      dataBlockCount: min(
        superblock.dataSpaceMap.blockCount, usage.blockCount * UInt64(Bitmap.entryCount)),
      time: superblock.time)
    self.usage = usage
    self.findings = findings
  }

  /// Opens a pool to read what is sound; a superblock that can't be followed is an error.
  package static func open(
    _ file: BlockFile, choosing choice: RootChoice
  ) throws(DumpError) -> PoolReader {
    var findings = Findings()
    let site = Structure.superblock
    guard let superblock = Superblock.read(.superblock, of: file, at: site, into: &findings)
    else { throw .damaged(findings) }
    superblock.check(home: .superblock, at: site, into: &findings)
    return PoolReader(file, superblock, choosing: choice, findings: findings)
  }

  private static func heldSuperblock(
    of superblock: Superblock, in file: BlockFile, _ usage: inout BlockUsage,
    _ findings: inout Findings
  ) -> Superblock? {
    guard superblock.heldRoot != 0 else { return nil }
    let site = Structure.metadataSnapshot
    guard let block = findings.block(at: superblock.heldRoot, of: usage.blockCount, from: site)
    else { return nil }
    let held = Superblock.read(block, of: file, at: site, into: &findings)
    held?.check(home: block, at: site, into: &findings)
    // A block that is sound as something else is left to its real user.
    if held == nil, file.isSound(block, as: [.btreeNode, .bitmap, .metadataIndex]) { return nil }
    usage.hold(superblockIn: block)
    return held
  }

  /// Whether a tree leads to a block that has another use, or one of the two trees of devices to
  /// one that is sound as something else.
  private var isLedAstray: Bool { !mappings.crossLinked.isEmpty || trees.isLedAstray }

  /// Reads the live pool again on its own. If nothing is used twice then, the metadata snapshot
  /// claimed the live pool's blocks, and is no longer trusted.
  private mutating func leaveOutSnapshot(_ choice: RootChoice, _ findings: Findings) {
    var usage = BlockUsage(holdingSuperblockOf: file)
    if let block = MetadataBlock(pointer: superblock.heldRoot, count: usage.blockCount) {
      usage.hold(superblockIn: block)
    }
    var alone = PoolReader(file, superblock, held: nil, choosing: choice, usage, findings)
    guard !alone.isLedAstray else { return }
    alone.findings.report(
      .blockUsedTwice, at: Structure.metadataSnapshot, found: "trees of the live pool")
    self = alone
  }

  /// Gives blocks that mapping trees point to but can't use back to the space maps, if they are
  /// sound as blocks of those.
  mutating func releaseSpaceMapBlocks() {
    for block in mappings.holes.keys where file.isSound(block, as: [.bitmap, .metadataIndex]) {
      usage.release(block)
    }
  }
}

extension PoolReader {
  /// The two trees of devices, the live pool's and the metadata snapshot's together.
  var topLevel: LeafContents<UInt64> { trees.topLevel }
  var details: LeafContents<DeviceDetails> { trees.details }

  /// Device ids whose entry in the tree can't be read.
  package var lostTopLevel: [ClosedRange<UInt64>] { trees.listings[0].lostTopLevel }
  package var lostDetails: [ClosedRange<UInt64>] { trees.listings[0].lostDetails }

  /// The devices of the metadata snapshot, when both are read.
  package var heldDevices: [ThinDevice] { heldListing?.devices ?? [] }

  /// Whether no device of the live pool or of the metadata snapshot is hidden by damage.
  var hasAllDevices: Bool { trees.isWhole }

  /// Whether the metadata snapshot may have trees that nothing leads to any more.
  var hasLostHeldTrees: Bool {
    if let heldListing { return !heldListing.lostTopLevel.isEmpty }
    return superblock.heldRoot != 0 && heldSuperblock == nil
  }

  private var heldListing: DeviceTrees.Listing? {
    trees.listings.count > 1 ? trees.listings[1] : nil
  }
}

extension BlockUsage {
  /// The usage of a pool of which nothing is known but that it has a superblock.
  fileprivate init(holdingSuperblockOf file: BlockFile) {
    self.init(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    _ = claim(.superblock, for: PoolReader.Structure.superblock.structure)
    references.increment(0)
  }

  /// Counts and claims the metadata snapshot's superblock.
  fileprivate mutating func hold(superblockIn block: MetadataBlock) {
    references.increment(UInt64(block.number))
    _ = claim(block, for: PoolReader.Structure.metadataSnapshot.structure)
  }
}

extension BlockFile {
  /// Whether a block is a sound part of trees or space maps, and was written for its place.
  fileprivate func isSound(_ block: MetadataBlock, as kinds: [BlockKind]) -> Bool {
    let isSound = try? withBlock(block) { bytes in
      kinds.contains { BlockFault(bytes, as: $0, in: block) == nil }
    }
    return isSound ?? false
  }
}
