package import PersistentData

/// What a check of a thin pool found.
package struct CheckReport: Sendable {
  /// A device with keys that can't be read.
  package struct Damage: Hashable, Sendable {
    package let device: UInt64
    /// Virtual blocks, ascending.
    package let lost: [ClosedRange<UInt64>]
    /// Mappings that the device says it has.
    package let mappedBlocks: UInt64?
    /// How many of these can't be read; `nil` when its details, which would tell, are lost.
    package let lostCount: UInt64?
    /// Whether some of these come from keys that contradict each other: then mappings there may
    /// still be found.
    package let hasMisfits: Bool
  }

  package fileprivate(set) var findings: Findings
  /// `nil` when there is no usable superblock.
  package fileprivate(set) var superblock: Superblock?
  /// The transaction id of what was checked, the live pool or its metadata snapshot.
  package fileprivate(set) var transactionID: UInt64?
  /// Whether the metadata snapshot of a pool that may be running was checked.
  package let isOfSnapshot: Bool
  /// What to call the fault, where one flipped bit or one wrong byte, which repair corrects, made
  /// the superblock unusable.
  package fileprivate(set) var superblockFault: String?
  /// Whole blocks on the device.
  package let blockCount: UInt64
  /// Blocks that new metadata should have, as far as a check can tell.
  package fileprivate(set) var newBlockCount: UInt64
  package fileprivate(set) var damage: [Damage] = []
  /// Device ids hidden in both lists of devices: there may be more devices than are known.
  package fileprivate(set) var lostIDs: [ClosedRange<UInt64>] = []
  /// Data that is gone, or may be, whatever the metadata is like; known after a full check.
  package fileprivate(set) var overwrittenData = OverwrittenData()
  /// Whether the mappings were looked at.
  package fileprivate(set) var hasReadMappings = false
  /// What can be mended in place; `nil` unless everything was looked at.
  package fileprivate(set) var plan: PoolMend?
  /// Ascending by device.
  package private(set) var snapshottedTimesTooLow: [SnapshottedTimeTooLow] = []
  /// How often each data block is mapped, and each metadata block referred to; known after a full
  /// check.
  package fileprivate(set) var dataCounts: RefCounts?
  package fileprivate(set) var metadataCounts: RefCounts?
}

extension CheckReport: MetadataReport {
  /// Whether the kernel waits for a check like this one.
  var needsCheck: Bool { superblock?.needsCheck == true && isComplete }

  package static func fullCheck(of file: BlockFile) -> Findings {
    CheckReport(of: file, CheckScope()).findings
  }
}

extension CheckReport {
  /// Checks the pool in `file` and reports all that is wrong with it.
  package init(of file: BlockFile, _ scope: CheckScope) {
    findings = Findings()
    blockCount = file.blockCount
    isOfSnapshot = scope.roots.metadataSnapshot
    newBlockCount = min(blockCount, MetadataBlock.maximumCount)
    let site = PoolReader.Structure.superblock
    guard let superblock = Superblock.read(.superblock, of: file, at: site, into: &findings)
    else {
      newBlockCount = NewSize.blocks(for: file)
      // One that can't be read has been reported.
      superblockFault =
        (try? file.withBlock(.superblock) {
          Superblock.correction(of: $0, home: .superblock)?.fault
        }) ?? nil
      return
    }
    self.superblock = superblock
    newBlockCount = NewSize.blocks(
      needed: superblock.metadataSpaceMap.allocatedCount, old: blockCount)
    superblock.check(home: .superblock, at: site, into: &findings)
    superblock.checkAgainstDevice(file, into: &findings)
    if !isOfSnapshot { transactionID = superblock.transactionID }
    if scope.superblockOnly { return }

    var reader = PoolReader(file, superblock, choosing: scope.roots, findings: findings)
    if scope.roots.metadataSnapshot, reader.heldSuperblock == nil {
      // The live pool, which may be changing, is no substitute.
      findings = reader.findings
      return
    }
    transactionID = reader.chosenSuperblock.transactionID
    reader.checkDevices()
    if scope.skipMappings {
      findings = reader.findings
      return
    }
    let counts = reader.readMappings()
    reader.checkMappedBlocks(counts.totals)
    snapshottedTimesTooLow = counts.snapshottedTimesTooLow(of: reader.devices)
    reader.report(snapshottedTimesTooLow)
    if scope.judgesSpaceMaps {
      plan = reader.checkSpaceMaps(counts.references, snapshottedTimesTooLow)
      dataCounts = counts.references
      metadataCounts = reader.usage.references
      let pool = PoolReading(reader: reader, counts: counts)
      if pool.mayHaveOverwrittenData { overwrittenData = OverwrittenData(pool) }
    }
    if scope.judgesSpaceMaps, reader.devices.isEmpty, reader.findings.worst != .error,
      reader.hasFormerDevices
    {
      reader.findings.report(.formerDevices, at: PoolReader.Structure.pool)
    }
    findings = reader.findings
    damage = reader.damage(counts.totals)
    lostIDs = reader.lostTopLevel.common(with: reader.lostDetails)
    hasReadMappings = true
    let used = max(reader.usage.claimedCount, superblock.metadataSpaceMap.allocatedCount)
    newBlockCount = NewSize.blocks(needed: used, old: blockCount)
  }
}

extension Superblock {
  /// Checks the superblock against the size of the device.
  fileprivate func checkAgainstDevice(_ file: BlockFile, into findings: inout Findings) {
    let site = PoolReader.Structure.superblock
    if needsCheck { findings.report(.needsCheck, at: site) }
    if heldRoot != 0 {
      findings.report(
        .metadataSnapshotHeld, at: PoolReader.Structure.metadataSnapshot, found: "block \(heldRoot)"
      )
    }
    if metadataBlockCount > max(metadataSpaceMap.blockCount, 1) {
      findings.report(
        .metadataSizeInFuture, at: site, found: metadataBlockCount,
        expected: metadataSpaceMap.blockCount)
    }
    checkSize(of: file, at: site, into: &findings)
    if file.blockCount > MetadataBlock.maximumCount {
      findings.report(
        .deviceBeyondKernelLimit, at: site, found: "\(file.blockCount) blocks",
        expected: .atMost(MetadataBlock.maximumCount))
    }
  }
}

extension PoolReader {
  /// Devices of a superblock that are to be judged.
  private struct JudgedDevices {
    let devices: [ThinDevice]
    let pool: Superblock
    fileprivate let place: Site

    /// Where findings about a device are.
    func site(_ device: ThinDevice) -> Site {
      Site(place.label, device: device.id)
    }
  }

  /// The live pool's devices, and those of the metadata snapshot that are not the same.
  private var judgedDevices: [JudgedDevices] {
    let details = Site(Structure.details.label)
    let judged = JudgedDevices(devices: devices, pool: superblock, place: details)
    // Damage hides devices; what hides them has been reported.
    guard hasAllDevices, let heldSuperblock else { return [judged] }
    let live = Set(devices)
    let others = heldDevices.filter { !live.contains($0) }
    return [
      judged,
      JudgedDevices(devices: others, pool: heldSuperblock, place: Structure.metadataSnapshot),
    ]
  }

  /// Checks the two trees of devices against each other, and the devices against the pool.
  fileprivate mutating func checkDevices() {
    for judged in judgedDevices {
      for device in judged.devices { check(device, of: judged.pool, at: judged.site(device)) }
    }
    if let heldSuperblock {
      superblock.check(
        against: heldSuperblock, at: Structure.metadataSnapshot, into: &findings)
    }
  }

  private mutating func check(_ device: ThinDevice, of pool: Superblock, at site: Site) {
    checkLists(device, at: site, into: &findings)
    if let details = device.details { check(details, of: pool, at: site) }
  }

  private mutating func check(_ details: DeviceDetails, of pool: Superblock, at site: Site) {
    if details.transactionID > pool.transactionID {
      findings.report(
        .transactionInFuture, at: site, found: "transaction \(details.transactionID)",
        expected: .atMost(pool.transactionID))
    }
    let latest = max(details.creationTime, details.snapshottedTime)
    // Blocks mapped at the highest time count as shared only with a snapshotted time one higher.
    let isPastLast = pool.time == Mapping.timeMaximum && latest == Mapping.timeMaximum + 1
    if latest > pool.time, !isPastLast {
      findings.report(
        .deviceTimeInFuture, at: site, found: "time \(latest)",
        expected: .atMost(pool.time))
    }
    // A device is created with its first snapshotted time, which only goes up.
    if details.creationTime > details.snapshottedTime {
      findings.report(
        .deviceTimesReversed, at: site, found: "time \(details.snapshottedTime)",
        expected: .atLeast(details.creationTime))
    }
  }

  /// Where a device's tree has no hole, its details must give the true number of mappings.
  fileprivate mutating func checkMappedBlocks(_ totals: SubtreeTotals) {
    for judged in judgedDevices {
      for device in judged.devices {
        guard let root = device.root, let details = device.details else { continue }
        let total = totals[below: root]
        if !total.hasDamage, total.entryCount != details.mappedBlocks {
          findings.report(
            .mappedBlocksWrong, at: judged.site(device), found: details.mappedBlocks,
            expected: total.entryCount)
        }
      }
    }
  }

  fileprivate mutating func report(_ timesTooLow: [SnapshottedTimeTooLow]) {
    let details = Structure.details
    for time in timesTooLow {
      findings.report(
        .snapshottedTimeTooLow,
        at: Site(details.label, device: time.device),
        found: "snapshotted time \(time.found)", expected: .atLeast(time.lowest))
    }
  }

  fileprivate func damage(_ totals: SubtreeTotals) -> [CheckReport.Damage] {
    devices.compactMap { device in
      let mapped = device.details?.mappedBlocks
      guard let root = device.root else {
        return CheckReport.Damage(
          device: device.id, lost: [0...UInt64.max], mappedBlocks: mapped, lostCount: mapped,
          hasMisfits: false)
      }
      let total = totals[below: root]
      // If all mappings are there, keys out of range have hidden none.
      let isWhole = !total.hasMisfits || total.entryCount == device.details?.mappedBlocks
      if !total.hasDamage, isWhole { return nil }
      return CheckReport.Damage(
        device: device.id, lost: lostKeys(below: root, totals), mappedBlocks: mapped,
        lostCount: mapped.flatMap { $0 > total.entryCount ? $0 - total.entryCount : nil },
        hasMisfits: total.hasMisfits)
    }
  }

  /// Visits both space maps' own blocks, then compares their counts with what was counted. Returns
  /// what can be mended in place.
  fileprivate mutating func checkSpaceMaps(
    _ dataCounts: RefCounts, _ timesTooLow: [SnapshottedTimeTooLow]
  ) -> PoolMend {
    let dataMap = StoredSpaceMap(
      Structure.dataSpaceMap, root: superblock.dataSpaceMap,
      index: .tree, in: file, usage: &usage, findings: &findings)
    let metadataMap = StoredSpaceMap(
      Structure.metadataSpaceMap, root: superblock.metadataSpaceMap, index: .block, in: file,
      usage: &usage,
      findings: &findings)
    var differences = Findings()
    let plan = PoolMend(
      dataMap: SpaceMapMend(dataMap, dataCounts, findings: &differences),
      metadataMap: SpaceMapMend(metadataMap, usage.references, findings: &differences),
      superblock: superblock, timesTooLow: timesTooLow)
    let isAllCounted =
      mappings.isWhole && lostTopLevel.isEmpty && lostDetails.isEmpty
      && dataMap.hasAllLargeCounts && metadataMap.hasAllLargeCounts
    if !isAllCounted {
      let hidden = differences.drop(.leak)
      if hidden > 0 {
        findings.report(.countsNotJudged, at: Structure.pool, found: "\(hidden) blocks")
      }
    }
    findings.merge(differences)
    reportSpace()
    return plan
  }

  private mutating func reportSpace() {
    let space = MetadataSpace(superblock.metadataSpaceMap)
    if space.isFull {
      findings.report(
        .metadataFull, at: Structure.pool,
        found: "\(space.free) blocks free, \(space.reserve) of them reserved by the kernel")
    } else if space.isLow {
      findings.report(
        .metadataNearlyFull, at: Structure.pool, found: "\(space.free) blocks free",
        expected: .atLeast(space.lowWatermark))
    }
    let data = superblock.dataSpaceMap
    if data.blockCount > 0, data.allocatedCount >= data.blockCount {
      findings.report(.dataFull, at: Structure.pool, found: "\(data.allocatedCount) blocks in use")
    }
  }
}
