package import PersistentData
internal import Synchronization

extension PoolReader {
  /// The number of data blocks is believed as far as the metadata device has room for bitmaps.
  package var limits: MappingLeaf.Limits {
    let room = usage.blockCount * UInt64(Bitmap.entryCount)
    var limits = MappingLeaf.Limits(
      dataBlockCount: min(dataBlockCount, room), time: timeLimit, lateTimes: lateTimes)
    limits.leftOut = leftOut
    return limits
  }

  /// Reads the leaves of all mapping trees, each once, and counts the references to data blocks.
  ///
  /// `keepingRuns`: whether to keep the devices' mappings, which will be needed again.
  package mutating func readMappings(keepingRuns: Bool = false) -> RefCounts {
    let counts = RefCounts(count: limits.dataBlockCount, watchingExclusive: true)
    knownTotals = KnownTotals()
    // Leaves that only the metadata snapshot has don't concern the devices: they are read later.
    let isLive = isLive
    let shared = readLeaves(where: isLive, into: counts, keepingRuns: keepingRuns)
    if counts.endWatch() {
      sharedTimes = SharedTimes(mappings, MappingLeaf(limits), counts, shared: shared)
    } else if !shared.isEmpty {
      sharedTimes = SharedTimes(shared, in: mappings.skeleton)
    }
    if isLive != nil { _ = readLeaves(where: { $0.treeCount == 0 }, into: counts) }
    releaseSpaceMapBlocks()
    return counts
  }

  /// Tells the leaves of the devices from those that only the metadata snapshot has; `nil` when
  /// there are none of the latter.
  var isLive: ((Reach) -> Bool)? {
    mappings.roots.allSatisfy { $0.reach.treeCount > 0 } ? nil : { $0.treeCount > 0 }
  }

  /// Counts the references of some leaves. Returns, by block, shared leaves with mappings that a
  /// device takes for its own: one more than the latest time in each.
  private mutating func readLeaves(
    where isWanted: ((Reach) -> Bool)?, into counts: RefCounts, keepingRuns: Bool = false
  ) -> [MetadataBlock: UInt32] {
    let limits = limits
    let visitors = mappings.readLeaves(where: isWanted, findings: &findings) {
      CountingVisitor(
        counts: counts, limits: limits, part: keepingRuns ? KeptRuns.Part() : nil)
    }
    if keepingRuns {
      keptRuns = KeptRuns(visitors.compactMap(\.part), blockCount: usage.blockCount)
    }
    for var visitor in visitors {
      visitor.batch.flush()
      findings.merge(visitor.findings)
      latestTimes.merge(visitor.latestTimes)
      noteLate(visitor.lateBlocks)
      highestDataBlock = [highestDataBlock, visitor.highestDataBlock].compactMap(\.self).max()
      for (block, count) in visitor.mappingCounts { leafEntryCounts[Int(block)] = count }
    }
    return Dictionary(visitors.flatMap(\.timesAfter)) { first, _ in first }
  }

  /// References to data blocks by the devices alone, without what only the metadata snapshot has;
  /// `counts` are those of both, and are returned if there is no difference.
  func liveCounts(of counts: RefCounts) -> RefCounts {
    guard let isLive else { return counts }
    let live = RefCounts(count: counts.count, watchingExclusive: true)
    var copy = self
    _ = copy.readLeaves(where: isLive, into: live)
    _ = live.endWatch()
    return live
  }

  private mutating func noteLate(_ blocks: [UInt64]) {
    for block in blocks where lateBlocks.count < LateTimes.maxBlocks { lateBlocks.insert(block) }
  }

  /// Devices whose snapshotted time lets the kernel write to shared blocks in place, by id.
  package var snapshottedTimesTooLow: [SnapshottedTimeTooLow] {
    guard let sharedTimes else { return [] }
    return devices.compactMap { SnapshottedTimeTooLow($0, sharedTimes) }
  }

  /// Mappings below each node, as far as they can be read; summed up on first use, after the leaves
  /// were read.
  package var mappingTotals: SubtreeTotals {
    knownTotals.get { SubtreeTotals(mappings, leafEntryCounts: leafEntryCounts) }
  }
}

/// The totals of mappings below each node, shared by copies of a pool reader.
final class KnownTotals: Sendable {
  private let totals = Mutex<SubtreeTotals?>(nil)

  func get(_ sumUp: () -> SubtreeTotals) -> SubtreeTotals {
    totals.withLock { known in
      let totals = known ?? sumUp()
      known = totals
      return totals
    }
  }
}

/// Counts the data blocks of the leaves it is given.
private struct CountingVisitor: LeafVisitor {
  var batch: CountBatch
  var leaf: MappingLeaf
  private(set) var part: KeptRuns.Part?
  var findings = Findings()
  var mappingCounts: [(UInt32, UInt8)] = []
  private(set) var latestTimes = LatestTimes()
  /// Data blocks of mappings that are newer than the pool.
  private(set) var lateBlocks: [UInt64] = []
  private let timeLimit: UInt32
  /// Shared leaves with a mapping that a device takes for its own, and one more than the latest
  /// time of a mapping in each.
  private(set) var timesAfter: [(MetadataBlock, UInt32)] = []
  private(set) var highestDataBlock: UInt64?

  init(counts: RefCounts, limits: MappingLeaf.Limits, part: KeptRuns.Part?) {
    batch = CountBatch(counts)
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
      mappingCounts.append((reference.block.number, UInt8(node.entryCount)))
      note(bounds)
      noteTime(bounds.time, reference)
      if staged.runCount <= KeptRuns.runsAtMost { keepRuns(of: node, reference) }
      return
    }
    leaf.read(node, reference, findings: &findings)
    mappingCounts.append((reference.block.number, UInt8(leaf.mappingCount)))
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
