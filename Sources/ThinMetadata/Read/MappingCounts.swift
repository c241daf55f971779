package import PersistentData

/// What the leaves of all mapping trees hold, counted in one look at each.
package struct MappingCounts: Sendable {
  /// References to data blocks by everything that can be read.
  package let references: RefCounts
  /// Mappings below each node, as far as they can be read.
  package let totals: SubtreeTotals
  /// The highest data block that any mapping leads to.
  let highestDataBlock: UInt64?
  /// The latest times that mappings and devices have.
  let latestTimes: LatestTimes
  /// Data blocks of mappings that are newer than the pool: as many as `LateTimes.maxBlocks`.
  let lateBlocks: Set<UInt64>
  /// `nil` unless a device may take what it shares for its own.
  let sharedTimes: SharedTimes?
  /// Mappings that need not be read again, where these were asked for.
  var keptRuns: KeptRuns

  /// Those of `devices` whose snapshotted time lets the kernel write to shared blocks in place.
  func snapshottedTimesTooLow(of devices: [ThinDevice]) -> [SnapshottedTimeTooLow] {
    guard let sharedTimes else { return [] }
    return devices.compactMap { SnapshottedTimeTooLow($0, sharedTimes) }
  }
}

extension PoolReader {
  /// Reads the leaves of all mapping trees, each once, and counts what they hold.
  ///
  /// `keepingRuns`: whether to keep the devices' mappings, which will be needed again.
  package mutating func readMappings(keepingRuns: Bool = false) -> MappingCounts {
    let references = RefCounts(count: limits.dataBlockCount, watchingExclusive: true)
    var tally = LeafTally(blockCount: usage.blockCount, LatestTimes(of: devices))
    // Leaves that only the metadata snapshot has don't concern the devices: they are read later.
    let isLive = isLive
    readLeaves(where: isLive, into: references, &tally, keepingRuns: keepingRuns)
    let shared = tally.timesAfter
    var sharedTimes: SharedTimes?
    if references.endWatch() {
      sharedTimes = SharedTimes(mappings, MappingLeaf(limits), references, shared: shared)
    } else if !shared.isEmpty {
      sharedTimes = SharedTimes(shared, in: mappings.skeleton)
    }
    if isLive != nil { readLeaves(where: { $0.treeCount == 0 }, into: references, &tally) }
    releaseSpaceMapBlocks()
    return MappingCounts(
      references: references,
      totals: SubtreeTotals(mappings, leafEntryCounts: tally.entryCounts),
      highestDataBlock: tally.highestDataBlock, latestTimes: tally.latestTimes,
      lateBlocks: tally.lateBlocks, sharedTimes: sharedTimes,
      keptRuns: KeptRuns(tally.parts, blockCount: usage.blockCount))
  }

  /// Tells the leaves of the devices from those that only the metadata snapshot has; `nil` when
  /// there are none of the latter.
  var isLive: ((Reach) -> Bool)? {
    mappings.roots.allSatisfy { $0.reach.treeCount > 0 } ? nil : { $0.treeCount > 0 }
  }

  /// References to data blocks by the devices alone, without what only the metadata snapshot has;
  /// `references` are those of both, and are returned if there is no difference.
  func liveReferences(of references: RefCounts) -> RefCounts {
    guard let isLive else { return references }
    let live = RefCounts(count: references.count, watchingExclusive: true)
    var copy = self
    var tally = LeafTally(blockCount: usage.blockCount, LatestTimes())
    copy.readLeaves(where: isLive, into: live, &tally)
    _ = live.endWatch()
    return live
  }

  private mutating func readLeaves(
    where isWanted: ((Reach) -> Bool)?, into references: RefCounts, _ tally: inout LeafTally,
    keepingRuns: Bool = false
  ) {
    let limits = limits
    let visitors = mappings.readLeaves(where: isWanted, findings: &findings) {
      CountingVisitor(references, limits, part: keepingRuns ? KeptRuns.Part() : nil)
    }
    for var visitor in visitors {
      visitor.batch.flush()
      findings.merge(visitor.findings)
      tally.add(visitor)
    }
  }
}

/// What visitors noted of leaves, put together.
private struct LeafTally {
  /// The number of mappings in each sound leaf, by block.
  private(set) var entryCounts: BlockTable<UInt8>
  private(set) var latestTimes: LatestTimes
  private(set) var lateBlocks: Set<UInt64> = []
  private(set) var highestDataBlock: UInt64?
  /// By block: shared leaves with mappings that a device takes for its own, and one more than the
  /// latest time in each.
  private(set) var timesAfter: [MetadataBlock: UInt32] = [:]
  private(set) var parts: [KeptRuns.Part] = []

  init(blockCount: UInt64, _ latestTimes: LatestTimes) {
    entryCounts = BlockTable(count: blockCount)
    self.latestTimes = latestTimes
  }

  mutating func add(_ visitor: CountingVisitor) {
    latestTimes.merge(visitor.latestTimes)
    for block in visitor.lateBlocks where lateBlocks.count < LateTimes.maxBlocks {
      lateBlocks.insert(block)
    }
    highestDataBlock = [highestDataBlock, visitor.highestDataBlock].compactMap(\.self).max()
    for (block, count) in visitor.mappingCounts { entryCounts[block.index] = count }
    for (block, time) in visitor.timesAfter { timesAfter[block] = time }
    if let part = visitor.part { parts.append(part) }
  }
}

/// Counts the data blocks of the leaves it is given.
private struct CountingVisitor: LeafVisitor {
  var batch: CountBatch
  private var leaf: MappingLeaf
  private(set) var part: KeptRuns.Part?
  private(set) var findings = Findings()
  private(set) var mappingCounts: [(MetadataBlock, UInt8)] = []
  private(set) var latestTimes = LatestTimes()
  /// Data blocks of mappings that are newer than the pool.
  private(set) var lateBlocks: [UInt64] = []
  private let timeLimit: UInt32
  /// Shared leaves with a mapping that a device takes for its own, and one more than the latest
  /// time of a mapping in each.
  private(set) var timesAfter: [(MetadataBlock, UInt32)] = []
  private(set) var highestDataBlock: UInt64?

  init(_ references: RefCounts, _ limits: MappingLeaf.Limits, part: KeptRuns.Part?) {
    batch = CountBatch(references)
    leaf = MappingLeaf(limits)
    timeLimit = limits.time
    self.part = part
  }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    // A device's own mappings are those since its last snapshot; a leaf that it shares must have
    // none.
    let reach = reference.reach
    let exclusiveFrom = reach.treeCount == 1 ? reach.lowest : .max
    let staged = batch.stage(node.valueSpan, above: Mapping.timeBits, exclusiveFrom: exclusiveFrom)
    let bounds = Mapping(dataBlock: staged.highest, time: UInt32(staged.highestRest))
    if let keys = node.keys, leaf.isSound(keys, bounds, reference) {
      batch.addStaged()
      mappingCounts.append((reference.block, UInt8(node.entryCount)))
      note(bounds)
      noteTime(bounds.time, reference)
      if staged.runCount <= KeptRuns.runsAtMost { keepRuns(of: node, reference) }
      return
    }
    leaf.read(node, reference, findings: &findings)
    mappingCounts.append((reference.block, UInt8(leaf.mappingCount)))
    if let latest = leaf.runs.lazy.map(\.time).max() { noteTime(latest, reference) }
    for run in leaf.runs {
      if run.time > timeLimit, lateBlocks.count < LateTimes.maxBlocks {
        lateBlocks += run.dataBlocks
      }
      batch.add(
        BlockRun(begin: run.dataBegin, length: run.length, isExclusive: run.time >= exclusiveFrom))
      note(Mapping(dataBlock: run.dataBegin + run.length - 1, time: run.time))
    }
  }

  /// `latest`: the latest time in a leaf.
  private mutating func noteTime(_ latest: UInt32, _ reference: NodeReference) {
    latestTimes.note(latest)
    if reference.reach.treeCount > 1, latest >= reference.reach.lowest {
      timesAfter.append((reference.block, latest + 1))
    }
  }

  private mutating func keepRuns(of node: BTreeNode, _ reference: NodeReference) {
    // Gaps between keys may make more runs of the same blocks.
    guard part != nil, leaf.readSound(node, upTo: KeptRuns.runsAtMost) else { return }
    part?.keep(leaf.runs, of: reference.block, keysFrom: reference.first)
  }

  private mutating func note(_ bounds: Mapping) {
    highestDataBlock = max(highestDataBlock ?? 0, bounds.dataBlock)
  }
}
