package import PersistentData

/// Why nothing could be salvaged from a damaged pool.
package enum SalvageError: Error {
  /// There is no superblock, and no other block leads to a pool.
  case nothingFound
  /// There is no superblock, and the newest state lost blocks that would lead into it.
  case newestStateDamaged(index: MetadataBlock)
  /// The superblock is lost, and the size was not given.
  case dataBlockSizeUnknown
  /// More mappings whose data has been overwritten than can be left out.
  case tooMuchOverwritten
  /// The superblock has a size that no pool can have, in sectors, and none was given.
  case dataBlockSizeInvalid(UInt32)
}

/// What can be salvaged from a damaged pool without guessing: everything that can still be reached.
///
/// A damaged block costs the mappings it stores and what only it led to, and nothing else. Nothing
/// older is ever taken in its place.
package struct Salvage: RestorableSalvage, Sendable {
  package let header: PoolHeader
  package let results: [DeviceResult]
  /// What replaced those of the pool's numbers and times that can't be true.
  package let corrections: Corrections
  /// Devices that had an id that no device can have.
  package let renamed: [Renamed]
  /// Two ids of one device, one of them wrong: both get its tree.
  package let unclearIDs: [(details: UInt64, tree: UInt64)]
  /// Impossible ids of devices without a tree: the output leaves these out.
  package let droppedDevices: [UInt64]
  /// Device ids among which some may be lost without a trace: neither list of devices has them.
  package let lostIDs: [ClosedRange<UInt64>]
  let pool: PoolReading
  package var reader: PoolReader { pool.reader }
  /// Data that is gone, or may be, whatever is left of the metadata.
  package let overwrittenData: OverwrittenData
  /// Whether the mappings whose data has been overwritten for certain are left out.
  package let dropsOverwritten: Bool
  /// What was put back though nothing led to it any more.
  package let grafting: Grafting

  let devices: [(header: DeviceHeader, root: MetadataBlock?)]

  /// Values given by the user.
  let overrides: PoolOverrides

  /// Set when the superblock was lost and had to be inferred.
  package let search: SuperblockSearch?

  /// Whether anything is missing, or may be, as far as is known.
  package var hasLosses: Bool {
    !droppedDevices.isEmpty || !lostIDs.isEmpty || results.contains(where: \.hasLosses)
  }

  /// Whether no device has a mapping, while the metadata space map has leaves in use that hold
  /// some.
  let hasUnreachedMappings: Bool

  /// Whether nothing was found of what devices mapped: new metadata would be that of an empty pool.
  package var bringsNothingBack: Bool {
    (hasLosses || hasUnreachedMappings) && results.allSatisfy { $0.mappedBlocks == 0 }
  }

  /// Finds the pool in `file`, from its superblock or, where that is lost, from everything else.
  /// `overrides`: values given by the user.
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
    let superblock = Superblock.read(.superblock, of: file, at: site, into: &findings)
    superblock?.check(home: .superblock, at: site, into: &findings)
    let isMisplaced = superblock?.isOfMetadataSnapshot ?? false
    if let superblock, !isMisplaced || (try? SuperblockSearch(file)) == nil {
      try self.init(
        file, superblock, nil, grafting, overriding: overrides, dropsOverwritten, findings)
    } else {
      let search = try SuperblockSearch(file)
      try self.init(
        file, search.superblock, search, grafting, overriding: overrides, dropsOverwritten,
        findings)
    }
    if overrides.dataBlockSectors == nil,
      !Superblock.isPossible(dataBlockSectors: header.dataBlockSectors)
    {
      throw search == nil
        ? .dataBlockSizeInvalid(header.dataBlockSectors) : .dataBlockSizeUnknown
    }
  }

  private init(
    _ file: BlockFile, _ superblock: Superblock, _ search: SuperblockSearch?,
    _ grafting: Grafting, overriding overrides: PoolOverrides, _ dropsOverwritten: Bool,
    _ findings: Findings
  ) throws(SalvageError) {
    var grafting = grafting
    var source = SalvageReader(
      file, superblock, isInferred: search != nil, overrides: overrides, findings: findings)
    var pool = grafting.walk(PoolSource(superblock: superblock) { source.read($0, $1) })
    let overwrittenData = OverwrittenData(pool)
    if dropsOverwritten { pool.leaveOut(overwrittenData.certain) }
    guard !dropsOverwritten || overwrittenData.hasAllCertain else { throw .tooMuchOverwritten }
    self.overwrittenData = overwrittenData
    self.dropsOverwritten = dropsOverwritten
    self.pool = pool
    self.overrides = overrides
    self.search = search
    self.grafting = grafting
    let ids = ImpossibleIDs(pool)
    let highest = DeviceDetails.deviceIDMaximum
    let unclear = UnclearIDs(ids.devices.filter { $0.id <= highest }, pool)
    unclearIDs = unclear.pairs
    let numbers = BelievedNumbers(
      pool, unclear.devices, source, overrides, isInferred: search != nil,
      isOutdated: grafting.isSuperblockReplaced, allShared: unclear.ids)
    header = numbers.header
    corrections = numbers.corrections
    renamed = ids.renamed
    droppedDevices = ids.devices.map(\.id).filter { $0 > highest }

    let salvaged = SalvagedDevices(
      unclear, ids, numbers, pool, grafting, overwrittenData, isDropping: dropsOverwritten)
    devices = salvaged.devices
    results = salvaged.results
    lostIDs = (pool.reader.lostTopLevel + grafting.lostIDs).common(with: pool.reader.lostDetails)
    let isEmpty = results.allSatisfy { $0.mappedBlocks == 0 }
    hasUnreachedMappings = isEmpty ? pool.reader.hasUnreachedMappings : false
  }

  /// Writes new metadata to `output`: same devices, same mappings, exact counts.
  package func restore(to output: BlockFile) throws(WriteError) {
    guard Superblock.isPossible(dataBlockSectors: header.dataBlockSectors) else {
      throw .rejected("invalid data block size: \(header.dataBlockSectors) sectors")
    }
    if output.blockCount < roomyBlockCount(on: output.blockCount) {
      // It may be tight: this is counted before the output loses what it holds.
      let needed = try neededBlocks(on: output.blockCount)
      if needed > output.blockCount {
        throw .outputTooSmall(needed: needed, available: output.blockCount)
      }
    }
    var restorer = try Restorer(output)
    try pool.replay(header, devices, into: &restorer, for: "writing the new metadata")
  }

  /// More blocks than new metadata takes: what was visited, and an eighth for leaves that can't
  /// stay shared; of each block that was lost, each device may need one of its own.
  private func roomyBlockCount(on blockCount: UInt64) -> UInt64 {
    let bitmaps = Bitmap.count(for: header.dataBlockCount) + Bitmap.count(for: blockCount)
    let devices = UInt64(devices.count)
    return NewSize.sufficient(for: reader.usage.claimedCount + devices + bitmaps) + 64
      + devices * UInt64(grafting.damagedBlocks.count)
  }

  /// How many blocks the new metadata takes on a device of `blockCount` blocks, counted as if it
  /// were written.
  package func neededBlocks(on blockCount: UInt64) throws(WriteError) -> UInt64 {
    var counting = Restorer(counting: blockCount)
    do throws(WriteError) {
      try pool.replay(header, devices, into: &counting, for: "counting what that takes")
    } catch {
      guard case .outputTooSmall = error else { throw error }
    }
    return counting.neededBlocks
  }

  /// Writes what was found as text.
  package func dump(_ dump: Dump, to sink: ByteSink) throws(DumpError) {
    try dump.write(
      header, devices, from: reader, pool.counts.keptRuns, to: sink, toleratingDamage: true)
  }
}

extension PoolReader {
  /// Keys below `root` that damage hides, ascending, each once.
  package func lostKeys(
    below root: MetadataBlock?, _ totals: SubtreeTotals
  ) -> [ClosedRange<UInt64>] {
    guard let root else { return [0...UInt64.max] }
    let total = totals[below: root]
    guard total.hasDamage || total.hasMisfits else { return [] }
    var lost: [ClosedRange<UInt64>] = []
    mappings.forEachBottom(below: root, entering: { totals[below: $0].hasDamage }) {
      if case .hole(_, let keys?) = $0 { lost.append(keys) }
    }
    mappings.forEachMisfit(below: root, entering: { totals[below: $0].hasMisfits }) {
      lost += $1.doubtful(in: $0)
    }
    return lost.joined
  }
}
