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
  package private(set) var heldSuperblock: Superblock?
  /// The superblock whose roots were chosen: the live one, or the metadata snapshot's.
  package private(set) var chosenSuperblock: Superblock
  package var usage: BlockUsage
  package var findings: Findings
  /// What is wrong with the metadata snapshot's superblock, where only the live pool is read.
  package private(set) var heldFindings = Findings()
  /// Ascending by id; those of the chosen roots.
  package internal(set) var devices: [ThinDevice] = []
  /// Those of the metadata snapshot, when both are read.
  package private(set) var heldDevices: [ThinDevice] = []
  /// Whether the metadata snapshot may have trees that nothing leads to any more.
  private(set) var hasLostHeldTrees = false
  /// Whether no device of the live pool or of the metadata snapshot is hidden by damage.
  private(set) var hasAllDevices = true
  /// The internal nodes of all mapping trees, the metadata snapshot's among them.
  package internal(set) var mappings: TreeWalk
  /// Device ids whose entry in the tree can't be read.
  package private(set) var lostTopLevel: [ClosedRange<UInt64>] = []
  package private(set) var lostDetails: [ClosedRange<UInt64>] = []
  /// The two trees of devices, the live pool's and the metadata snapshot's together.
  private(set) var topLevel: LeafContents<UInt64>
  private(set) var details: LeafContents<DeviceDetails>
  /// Nodes of the two trees of devices that can't be used.
  var topLevelHoles: [MetadataBlock: TreeWalk.Hole] { topLevel.holes }
  var detailsHoles: [MetadataBlock: TreeWalk.Hole] { details.holes }
  /// The number of mappings in each sound leaf, by block; filled as the leaves are read.
  package var leafEntryCounts: BlockTable<UInt8>
  /// The sums of these; replaced when the leaves are read again.
  var knownTotals = KnownTotals()

  /// Mappings that need not be read again; filled as the leaves are read, if so wanted.
  var keptRuns = KeptRuns()

  /// Mappings to ignore, as in `MappingLeaf.Limits`.
  var leftOut: [MetadataBlock: [ClosedRange<UInt64>]] = [:]

  /// Mappings can't be newer than this.
  package var timeLimit: UInt32
  /// The highest data block that any mapping leads to.
  package internal(set) var highestDataBlock: UInt64?
  /// Set if a device may take what it shares for its own; filled as the leaves are read.
  var sharedTimes: SharedTimes?
  /// The latest times that mappings and devices have.
  package internal(set) var latestTimes = LatestTimes()
  /// What replaces times of mappings that are beyond the limit, if anything does.
  var lateTimes: LateTimes?
  /// Data blocks of mappings with such times, as far as they are kept.
  var lateBlocks: Set<UInt64> = []

  /// Data blocks that the pool says it has.
  package var dataBlockCount: UInt64 { superblock.dataSpaceMap.blockCount }

  /// Reads the superblock, the two trees of devices and the inner nodes of all mapping trees.
  ///
  /// `superblock`: already read, and good enough to follow its roots.
  package init(
    _ file: BlockFile, _ superblock: Superblock, choosing choice: RootChoice, findings: Findings
  ) {
    self.file = file
    self.superblock = superblock
    chosenSuperblock = superblock
    timeLimit = superblock.time
    self.findings = findings
    usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    leafEntryCounts = BlockTable(count: usage.blockCount)
    mappings = TreeWalk(
      Structure.mapping, roots: [], in: file, usage: &usage, findings: &self.findings)
    topLevel = PoolReader.topLevel([], file, &usage, &self.findings)
    details = PoolReader.details([], file, &usage, &self.findings)
    countSuperblock()
    var heldFindings = Findings()
    readHeldSuperblock(&heldFindings)
    if choice.liveOnly {
      self.heldFindings = heldFindings
      heldSuperblock = nil
    } else {
      self.findings.merge(heldFindings)
    }
    readDevices(choice)
    if heldSuperblock != nil, !choice.metadataSnapshot, isLedAstray {
      leaveOutSnapshot(choice, findings)
    }
  }

  private mutating func countSuperblock() {
    _ = usage.claim(.superblock, for: Structure.superblock.structure)
    usage.references.increment(0)
  }

  /// Whether a tree leads to a block that has another use, or one of the two trees of devices to
  /// one that is sound as something else.
  private var isLedAstray: Bool {
    !mappings.crossLinked.isEmpty || !topLevel.crossLinked.isEmpty || !details.crossLinked.isEmpty
      || topLevel.isLedAstray || details.isLedAstray
  }

  /// Reads the live pool again on its own. If nothing is used twice then, the metadata snapshot
  /// claimed the live pool's blocks, and is no longer trusted.
  private mutating func leaveOutSnapshot(_ choice: RootChoice, _ findings: Findings) {
    let held = heldSuperblock
    var alone = self
    alone.heldSuperblock = nil
    alone.heldDevices = []
    alone.findings = findings
    alone.usage = BlockUsage(blockCount: usage.blockCount)
    alone.countSuperblock()
    if let block = MetadataBlock(pointer: superblock.heldRoot, count: usage.blockCount), held != nil
    {
      alone.usage.references.increment(superblock.heldRoot)
      _ = alone.usage.claim(block, for: Structure.metadataSnapshot.structure)
    }
    alone.readDevices(choice)
    guard !alone.isLedAstray else { return }
    alone.findings.report(
      .blockUsedTwice, at: Structure.metadataSnapshot, found: "trees of the live pool")
    self = alone
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

  private mutating func readHeldSuperblock(_ findings: inout Findings) {
    guard superblock.heldRoot != 0 else { return }
    let site = Structure.metadataSnapshot
    guard
      let block = findings.block(at: superblock.heldRoot, of: usage.blockCount, from: site)
    else { return }
    heldSuperblock = Superblock.read(block, of: file, at: site, into: &findings)
    heldSuperblock?.check(home: block, at: site, into: &findings)
    // A block that is sound as something else is left to its real user.
    if heldSuperblock == nil, isSoundOtherwise(block) { return }
    usage.references.increment(superblock.heldRoot)
    _ = usage.claim(block, for: site.structure)
  }

  /// Gives blocks that mapping trees point to but can't use back to the space maps, if they are
  /// sound as blocks of those.
  mutating func releaseSpaceMapBlocks() {
    for block in mappings.holes.keys where isSoundOtherwise(block, [.bitmap, .metadataIndex]) {
      usage.release(block)
    }
  }

  /// Whether a block is a sound part of trees or space maps, and was written for its place.
  private func isSoundOtherwise(
    _ block: MetadataBlock, _ kinds: [BlockKind] = [.btreeNode, .bitmap, .metadataIndex]
  ) -> Bool {
    let isSound = try? file.withBlock(block) { bytes in
      kinds.contains { BlockFault(bytes, as: $0, in: block) == nil }
    }
    return isSound ?? false
  }

  private mutating func readDevices(_ choice: RootChoice) {
    var views = [superblock] + (heldSuperblock.map { [$0] } ?? [])
    if choice.metadataSnapshot, let heldSuperblock {
      views = [heldSuperblock]
      chosenSuperblock = heldSuperblock
    }
    let mappingRoots = views.map { choice.mappingRoot ?? $0.mappingRoot }
    let detailsRoots = views.map { choice.detailsRoot ?? $0.detailsRoot }

    topLevel = PoolReader.topLevel(mappingRoots, file, &usage, &findings)
    details = PoolReader.details(detailsRoots, file, &usage, &findings)

    let (rootEntries, lostRoots) = topLevel.entries(below: mappingRoots[0])
    let (detailEntries, lostDetails) = details.entries(below: detailsRoots[0])
    // Details that were chosen beside mappings need not be theirs.
    let trustsTimes = choice.mappingRoot == nil && choice.detailsRoot == nil
    let ids = trustsTimes ? detailEntries.map(\.0) : []

    // A leaf of the top-level tree holds its references once, however many trees share it.
    var roots: [TreeRoot] = []
    for (id, target, isLive) in topLevel.distinctEntries(telling: mappingRoots[0]) {
      guard
        let block = usage.follow(
          target, from: Site(Structure.topLevel.label, device: id), &findings)
      else { continue }
      let index = ids.firstIndex(from: id)
      let time =
        index < ids.count && ids[index] == id ? detailEntries[index].1.snapshottedTime : .max
      roots.append(TreeRoot(block, owner: id, reach: isLive ? .tree(time) : .none))
    }
    // Their devices and times are found out later, so everything they share counts.
    roots += choice.orphans.map { TreeRoot($0, reach: .tree(0)) }
    mappings = TreeWalk(
      Structure.mapping, roots: choice.skipsMappings ? [] : roots, in: file, usage: &usage,
      findings: &findings)

    if choice.forgetsKeys { mappings.forgetKeys() }

    lostTopLevel = lostRoots
    self.lostDetails = lostDetails
    devices = PoolReader.join(rootEntries, detailEntries, blockCount: usage.blockCount)
    hasLostHeldTrees = superblock.heldRoot != 0 && heldSuperblock == nil
    if views.count > 1 {
      let (heldEntries, lostHeld) = topLevel.entries(below: mappingRoots[1])
      let (heldDetails, lostHeldDetails) = details.entries(below: detailsRoots[1])
      hasLostHeldTrees = !lostHeld.isEmpty
      hasAllDevices =
        lostRoots.isEmpty && lostDetails.isEmpty && lostHeld.isEmpty && lostHeldDetails.isEmpty
      heldDevices = PoolReader.join(heldEntries, heldDetails, blockCount: usage.blockCount)
    }
    // A time that no mapping has room for was never the pool's.
    for details in devices.compactMap(\.details) {
      latestTimes.note(
        [details.creationTime, details.snapshottedTime].filter { $0 <= Mapping.timeMaximum }.max()
          ?? 0)
    }
  }

  private static func topLevel(
    _ roots: [UInt64], _ file: BlockFile, _ usage: inout BlockUsage, _ findings: inout Findings
  ) -> LeafContents<UInt64> {
    LeafContents(
      Structure.topLevel, roots: roots, in: file, usage: &usage, findings: &findings
    ) { leaf, index in leaf.value(index) }
  }

  private static func details(
    _ roots: [UInt64], _ file: BlockFile, _ usage: inout BlockUsage, _ findings: inout Findings
  ) -> LeafContents<DeviceDetails> {
    LeafContents(
      Structure.details, roots: roots, in: file, usage: &usage, findings: &findings
    ) { leaf, index in DeviceDetails(leaf, index) }
  }

  /// The devices of both trees, ascending by id.
  private static func join(
    _ roots: [(UInt64, UInt64)], _ details: [(UInt64, DeviceDetails)], blockCount: UInt64
  ) -> [ThinDevice] {
    var devices: [ThinDevice] = []
    var next = details[...]
    for (id, target) in roots {
      while let first = next.first, first.0 < id {
        devices.append(ThinDevice(id: first.0, root: nil, details: first.1))
        next.removeFirst()
      }
      var device = ThinDevice(id: id, root: MetadataBlock(pointer: target, count: blockCount))
      if let first = next.first, first.0 == id {
        device.details = first.1
        next.removeFirst()
      }
      devices.append(device)
    }
    devices += next.map { ThinDevice(id: $0.0, root: nil, details: $0.1) }
    return devices
  }
}
