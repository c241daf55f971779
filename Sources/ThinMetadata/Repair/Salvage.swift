package import PersistentData

/// Why nothing could be had of a damaged pool.
package enum SalvageError: Error {
  /// There is no superblock, and no other block leads to a pool.
  case nothingFound
  /// There is no superblock, and the newest state lost blocks that would lead into it.
  case newestStateDamaged(index: UInt32)
  /// The superblock is lost, and the size was not given.
  case dataBlockSizeUnknown
  /// More mappings whose data has been overwritten than can be left out.
  case tooMuchOverwritten
  case input(IOError)
}

/// What can be had of a damaged pool without guessing: everything that can still be reached.
///
/// A damaged block costs the mappings it stores and what only it led to, and nothing else. Nothing
/// older is ever taken in its place.
package struct Salvage: Sendable {
  package let header: PoolHeader
  package let results: [DeviceResult]
  /// Devices whose id is impossible, and which the output does without.
  package let droppedDevices: [UInt64]
  /// Device ids among which some may be lost without a trace: neither list of devices has them.
  package let lostIDs: [ClosedRange<UInt64>]
  package let reader: PoolReader
  /// Data that is gone, or may be, whatever is left of the metadata.
  package let overwrittenData: OverwrittenData
  /// Whether the mappings whose data has been overwritten for certain are left out.
  package let dropsOverwritten: Bool
  /// Counted on the way: references to data blocks by everything that can be read.
  package let dataCounts: RefCounts

  /// What was put back though nothing led to it any more.
  package let grafting: Grafting

  let devices: [(header: DeviceHeader, root: MetadataBlock?)]

  /// What a person knew better.
  let overrides: PoolOverrides

  /// Set when the superblock was lost and had to be inferred.
  package let search: SuperblockSearch?

  /// Whether anything is missing, or may be, as far as is known.
  package var hasLosses: Bool {
    !droppedDevices.isEmpty || !lostIDs.isEmpty || results.contains { !$0.lost.isEmpty }
  }

  /// Whether the list of devices is lost and nothing was found of what they mapped: new metadata
  /// would be that of an empty pool.
  package var bringsNothingBack: Bool {
    !reader.lostTopLevel.isEmpty && hasLosses && results.allSatisfy { $0.mappedBlocks == 0 }
  }

  /// Finds the pool in `file`, from its superblock or, where that is lost, from everything else.
  /// What a person knows better stands in `overrides`.
  ///
  /// `acceptance`: mappings of lost leaves that are less sure than this are left out.
  /// `dropsOverwritten`: so are those whose data has been overwritten for certain.
  package init(
    _ file: BlockFile, overriding overrides: PoolOverrides,
    accepting acceptance: Provenance = .proven, dropsOverwritten: Bool = false
  ) throws(SalvageError) {
    let grafting = Grafting(accepting: acceptance)
    var findings = Findings()
    let site = PoolReader.Structure.superblock
    if let superblock = Superblock.read(.superblock, of: file, at: site, into: &findings) {
      superblock.check(home: .superblock, at: site, into: &findings)
      try self.init(
        file, superblock, nil, grafting, overriding: overrides, dropsOverwritten, findings)
    } else {
      let search = try SuperblockSearch(file)
      try self.init(
        file, search.superblock, search, grafting, overriding: overrides, dropsOverwritten,
        findings)
    }
    guard header.dataBlockSectors != 0 else { throw .dataBlockSizeUnknown }
  }

  private init(
    _ file: BlockFile, _ superblock: Superblock, _ search: SuperblockSearch?,
    _ grafting: Grafting, overriding overrides: PoolOverrides, _ dropsOverwritten: Bool,
    _ findings: Findings
  ) throws(SalvageError) {
    var grafting = grafting
    var reader: PoolReader
    var dataCounts: RefCounts
    let overwrittenData: OverwrittenData
    do throws(IOError) {
      (reader, dataCounts) = try grafting.walk { (choice) throws(IOError) in
        var reader = try PoolReader(file, superblock, choosing: choice, findings: findings)
        if search != nil { reader.timeLimit = .max }
        let counts = try reader.readMappings(keepingRuns: true)
        return (reader, counts)
      }
      overwrittenData = OverwrittenData(reader, dataCounts)
      if dropsOverwritten { dataCounts = try reader.leaveOut(overwrittenData) }
    } catch {
      throw .input(error)
    }
    guard !dropsOverwritten || overwrittenData.hasAllCertain else { throw .tooMuchOverwritten }
    self.overwrittenData = overwrittenData
    self.dropsOverwritten = dropsOverwritten
    self.dataCounts = dataCounts
    self.overrides = overrides
    self.search = search
    self.grafting = grafting
    let totals = reader.mappingTotals

    // Times that let the kernel take a shared block for a device's own are worse than none: where
    // they can't be trusted everything counts as shared.
    let isTimeTrusted =
      reader.findings.counts[.mappingTimeInFuture] == nil
      && reader.devices.allSatisfy { $0.details != nil }
    var header = reader.header
    header.needsCheck = false
    header.version = 2
    // A time that no mapping has room for was never the pool's.
    let ownTime = header.time > Mapping.timeMaximum ? 0 : header.time
    header.time = min(max(ownTime, reader.latestTime), Mapping.timeMaximum)
    if !isTimeTrusted, header.time < Mapping.timeMaximum { header.time += 1 }
    let lowestTimes = Dictionary(
      reader.snapshottedTimesTooLow.map { ($0.device, $0.lowest) }, uniquingKeysWith: max)
    header.time = min(max(header.time, lowestTimes.values.max() ?? 0), Mapping.timeMaximum)
    let countable = reader.usage.blockCount * UInt64(Bitmap.entryCount)
    if search != nil || header.dataBlockCount > countable {
      header.dataBlockCount = reader.highestDataBlock.map { $0 + 1 } ?? 0
    }
    if search != nil {
      header.transactionID =
        reader.devices.compactMap(\.details?.transactionID).max() ?? 0
    }
    overrides.apply(to: &header)

    var devices: [(header: DeviceHeader, root: MetadataBlock?)] = []
    var results: [DeviceResult] = []
    for device in reader.devices {
      guard device.id <= DeviceDetails.deviceIDMaximum else { continue }
      let root = device.root.flatMap { reader.mappings.isUsable($0) ? $0 : nil }
      let total = totals[below: root?.number ?? 0]
      var details =
        device.details
        ?? DeviceDetails(
          mappedBlocks: 0, transactionID: header.transactionID, creationTime: header.time,
          snapshottedTime: header.time)
      details.mappedBlocks = total.entryCount
      // No device was ever newer than its pool.
      details.creationTime = min(details.creationTime, header.time)
      details.snapshottedTime = min(details.snapshottedTime, header.time)
      if reader.findings.counts[.mappingTimeInFuture] != nil {
        details.snapshottedTime = header.time
      }
      details.snapshottedTime = max(details.snapshottedTime, lowestTimes[device.id, default: 0])
      devices.append((DeviceHeader(id: device.id, details: details), root))
      results.append(DeviceResult(device, root, reader, totals, grafting))
    }
    let kept = Set(devices.map(\.header.id))
    self.header = header
    self.devices = devices
    self.results = results
    droppedDevices = reader.devices.map(\.id).filter { !kept.contains($0) }
    lostIDs = (reader.lostTopLevel + grafting.lostIDs).common(with: reader.lostDetails)
    self.reader = reader
  }

  /// Writes new metadata to `output`: same devices, same mappings, exact counts.
  package func restore(to output: BlockFile) throws(RestoreError) {
    guard Superblock.isPossible(dataBlockSectors: header.dataBlockSectors) else {
      throw .rejected("invalid data block size: \(header.dataBlockSectors) sectors")
    }
    var restorer = try Restorer(output)
    try reader.replay(header, devices, into: &restorer)
  }

  /// About how many blocks the new metadata takes on a device of `blockCount` blocks.
  package func neededBlocks(on blockCount: UInt64) throws(RestoreError) -> UInt64 {
    var estimate = SizeEstimate()
    try reader.replay(header, devices, into: &estimate)
    return estimate.neededBlocks(on: blockCount)
  }

  /// Writes what was found as text.
  package func dump(_ dump: Dump, to sink: ByteSink) throws(DumpError) {
    try dump.write(header, devices, from: reader, to: sink, toleratingDamage: true)
  }
}

extension PoolReader {
  /// Keys below `root` that damage hides, ascending, each once.
  package func lostKeys(
    below root: MetadataBlock?, _ totals: SubtreeTotals
  ) -> [ClosedRange<UInt64>] {
    guard let root else { return [0...UInt64.max] }
    let total = totals[below: root.number]
    guard total.hasDamage || total.hasMisfits else { return [] }
    var lost: [ClosedRange<UInt64>] = []
    mappings.forEachBottom(below: root, entering: { totals[below: $0.number].hasDamage }) {
      if case .hole(_, let keys?) = $0 { lost.append(keys) }
    }
    mappings.forEachMisfit(below: root, entering: { totals[below: $0.number].hasMisfits }) {
      lost += $1.doubtful(in: $0)
    }
    return lost.merged
  }
}
