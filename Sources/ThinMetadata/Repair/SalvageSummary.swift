internal import PersistentData

/// What a repair kept and what it lost, in words: a line per device, and what it means.
package struct SalvageSummary: Sendable {
  package let lines: [String]

  /// The most devices that are listed one by one.
  private static let limit = 100
  /// The most ranges or blocks that are named in one line.
  private static let maxRanges = 8

  package init(_ salvage: Salvage, _ spaceMaps: OldSpaceMaps) {
    let sectors = UInt64(salvage.header.dataBlockSectors)
    var lines: [String] = []
    if let search = salvage.search { lines += SalvageSummary.forLostSuperblock(search, salvage) }
    lines += SalvageSummary.forCutDevice(salvage)
    lines += SalvageSummary.forDamage(salvage.grafting.damagedBlocks + spaceMaps.damagedBlocks)
    lines += SalvageSummary.forEvidence(salvage.grafting)
    lines += SalvageSummary.forGrafts(salvage.grafting)
    lines += SalvageSummary.forNumbers(salvage)
    lines += SalvageSummary.forTimes(salvage.pool.snapshottedTimesTooLow)
    lines += SalvageSummary.forDevices(salvage.results, sectors)
    lines += SalvageSummary.forOverwrittenData(salvage)
    for id in salvage.droppedDevices.prefix(SalvageSummary.limit) {
      lines.append(
        "Device \(id) is left out: the highest id is \(DeviceDetails.deviceIDMaximum), and it has "
          + "no tree."
      )
    }
    for ids in salvage.lostIDs {
      lines.append(
        ids == 0...UInt64.max
          ? "Both lists of devices are lost: there may have been more devices."
          : "Devices with ids \(ids.lowerBound)..\(ids.upperBound) may be lost without a trace.")
    }
    lines += SalvageSummary.forLeftOut(salvage)
    if !salvage.bringsNothingBack { lines += SalvageSummary.total(salvage, spaceMaps) }
    self.lines = lines
  }

  private static func total(_ salvage: Salvage, _ spaceMaps: OldSpaceMaps) -> [String] {
    let whole = salvage.results.count(where: \.isWhole)
    let devices = salvage.results.count + salvage.droppedDevices.count
    let kept = salvage.results.map(\.mappedBlocks).cappedSum
    var lines = [
      "Kept \(kept) mappings; \(whole) of \(devices) devices are whole"
        + (salvage.search == nil ? "." : " in that state.")
    ]
    if salvage.hasLosses {
      lines.append(
        "Keep the damaged metadata until the data is checked: what is lost here may still be found "
          + "in it.")
    } else if salvage.search != nil || whole < devices {
      lines.append("Keep the damaged metadata until the data is checked.")
    }
    return lines + (salvage.hasLosses ? forLostData(salvage.header, spaceMaps) : [])
  }

  /// Where the data is that lost mappings led to.
  private static func forLostData(_ header: PoolHeader, _ spaceMaps: OldSpaceMaps) -> [String] {
    let shared = "Where snapshots share data of lost mappings, they still map it."
    guard let ranges = SalvageSummary.ranges(spaceMaps, sectors: header.dataBlockSectors) else {
      return spaceMaps.isComplete
        ? [shared]
        : [
          "All other data of lost mappings counts as free, and new writes may overwrite it; which "
            + "data blocks hold it is not known. Keep a copy of the data device if you need it."
        ].map { "\(shared) \($0)" }
    }
    let size = UInt64(header.dataBlockSectors) * 512
    return [
      "\(shared) The rest is in data blocks that count as free now, and new writes may overwrite "
        + "it: \(ranges).",
      "To copy data block N before the pool is activated: 'lvchange -ay VG/POOL_tdata', 'dd "
        + "if=/dev/mapper/VG-POOL_tdata bs=\(size) skip=N count=1 of=FILE', 'lvchange -an "
        + "VG/POOL_tdata'.",
    ]
  }

  /// Devices that lost something, one by one, then those whose lost blocks were made up for.
  private static func forDevices(
    _ results: [Salvage.DeviceResult], _ sectors: UInt64
  ) -> [String] {
    let damaged = results.filter { !$0.hasAllMappings }
    let whole = results.filter(\.hasAllMappings)
    let rescued = whole.filter(\.hasMappingsOfLostLeaves)
    let rebuilt = whole.filter { $0.hasRebuiltDetails && !$0.hasMappingsOfLostLeaves }
    var lines: [String] = []
    for (devices, rest) in [(damaged, "lack mappings"), (rescued, "kept all their mappings")] {
      lines += devices.prefix(limit).map { line($0, sectors) }
      if devices.count > limit { lines.append("\(devices.count - limit) more devices \(rest).") }
    }
    if !rebuilt.isEmpty {
      lines.append(
        (rebuilt.count == 1 ? "Device " : "Devices ") + rebuilt.lazy.map(\.id).firstFew(maxRanges)
          + ": all mappings kept; details (times, transaction) were lost and made anew.")
    }
    return lines + (damaged.isEmpty ? [] : [Advice.Commands.volumeNames])
  }

  private static func line(_ device: Salvage.DeviceResult, _ sectors: UInt64) -> String {
    let unreached = SalvageSummary.list(device.kept, from: .proven)
    var line = "Device \(device.id): kept "
    let before = device.mappedBlocksBefore
    if device.hasAllMappings {
      line += "all \(device.mappedBlocks) mappings"
    } else {
      line += "\(device.mappedBlocks)"
      if let before, before >= device.mappedBlocks { line += " of \(before)" }
      line += " mappings"
    }
    if !unreached.isEmpty { line += " (of lost blocks: \(unreached))" }
    if !device.lost.isEmpty { line += "; \(loss(of: device, sectors))" }
    if let before, before < device.mappedBlocks {
      line += "; its details say \(before)"
    } else if device.lost.isEmpty, device.hasLosses {
      line += "; where the others were is not known, or its details are wrong"
    }
    if device.droppedCount > 0 {
      line += "; left \(device.droppedCount) out whose data has been overwritten"
    }
    if device.hasRebuiltDetails { line += "; its details were lost and made anew" }
    return line + "."
  }

  /// What a device lost: how many mappings, where that can be told, and where they were.
  private static func loss(of device: Salvage.DeviceResult, _ sectors: UInt64) -> String {
    let there = [device.mappedBlocks, device.droppedCount].cappedSum
    guard let before = device.mappedBlocksBefore, before > there else {
      return (device.hasMisfits ? "may lack mappings of " : "lost what was mapped in ")
        + KeyRanges.text(device.lost, sectorsPerBlock: sectors)
    }
    let count = MappingCount.text(before - there, sectorsPerBlock: sectors)
    return "lost \(count), \(device.hasMisfits ? "perhaps " : "")in "
      + KeyRanges.text(device.lost, sectorsPerBlock: 0)
  }

  /// "12 proven, 3 likely".
  private static func list(_ counts: [Provenance: UInt64], from first: Provenance) -> String {
    Provenance.allCases.filter { $0 >= first && counts[$0, default: 0] > 0 }
      .map { "\(counts[$0, default: 0]) \($0)" }.joined(separator: ", ")
  }

  /// What could be brought back by accepting more.
  private static func forLeftOut(_ salvage: Salvage) -> [String] {
    var all: [Provenance: UInt64] = [:]
    for device in salvage.results { all.merge(device.leftOut) { $0 + $1 } }
    if all.isEmpty { return [] }
    let options = [Provenance.likely, .guessed].compactMap { provenance in
      all[provenance].map { "\($0) \(provenance) ('--accept \(provenance)')" }
    }
    return [
      "More of what is lost can be recovered, but not with certainty: "
        + "\(options.joined(separator: ", ")). Some of it may be WRONG: write it to another NEW, "
        + "and check the data."
    ]
  }

  /// The first few runs of unmapped data blocks; `nil` when there are none.
  private static func ranges(_ spaceMaps: OldSpaceMaps, sectors: UInt32) -> String? {
    let shown = spaceMaps.unmapped.prefix(maxRanges).map { range in
      range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)..\(range.upperBound)"
    }
    if shown.isEmpty { return nil }
    let rest = spaceMaps.unmapped.count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more ranges" : "")
      + " (\(spaceMaps.unmappedCount) blocks of \(ByteCount.text(sectors: sectors)))"
  }

  /// Says when the metadata is longer than the device or file.
  private static func forCutDevice(_ salvage: Salvage) -> [String] {
    let (here, wanted) = (
      salvage.reader.file.blockCount, salvage.reader.superblock.metadataSpaceMap.blockCount
    )
    if wanted <= here || salvage.search != nil { return [] }
    return [
      "The metadata goes on beyond the end of this device or file: \(here) of \(wanted) blocks of "
        + "4 KiB are there. Get the rest back first if you can: it may hold more."
    ]
  }

  /// What became of blocks, by how they look.
  private static func forDamage(_ blocks: [DamagedBlock]) -> [String] {
    DamagedBlock.Look.allCases.compactMap { look in
      let own = blocks.filter { $0.look == look }
      guard let first = own.first else { return nil }
      let place = own.allSatisfy { $0.structure == first.structure } ? " (\(first.structure))" : ""
      return "Damaged, \(look.description): "
        + (own.count == 1 ? "block " : "blocks ") + own.lazy.map(\.block).firstFew(maxRanges)
        + place + "."
    }
  }

  private static func forGrafts(_ grafting: Grafting) -> [String] {
    var lines: [String] = []
    if !grafting.nodes.isEmpty {
      lines.append(
        "Lost internal nodes were rebuilt from what the space map says about their children: "
          + "blocks \(grafting.nodes.map(\.block.description).joined(separator: ", ")).")
    }
    if !grafting.adopted.isEmpty {
      lines.append(
        "\(grafting.adopted.count) devices got their mappings back, although the list of devices "
          + "lost them.")
    }
    for id in grafting.madeUpDevices {
      lines.append(
        "Device \(id) is made up: its mappings are in use, but which device they belong to is not "
          + "known.")
    }
    return lines
  }

  private static func forTimes(_ times: [SnapshottedTimeTooLow]) -> [String] {
    if times.isEmpty { return [] }
    return [
      "Snapshotted times raised, so that the kernel copies shared blocks before it writes to them: "
        + (times.count == 1 ? "device " : "devices ")
        + times.lazy.map(\.device).firstFew(maxRanges) + "."
    ]
  }

  private static func forLostSuperblock(
    _ search: SuperblockSearch, _ salvage: Salvage
  ) -> [String] {
    var reason = ""
    do throws(IOError) { try salvage.reader.file.withBlock(.superblock) { _ in } } catch {
      reason = " (\(error))"
    }
    var lines = [
      "The superblock is lost\(reason). The pool was found from its other blocks, in the newest of "
        + "the \(search.otherStates + 1) states that they hold."
    ]
    if search.otherStates > 0 {
      lines.append(
        "Which state is the newest is recorded nowhere; it is inferred from the order in which "
          + "kernels write. Check the data before you trust it.")
    }
    if !search.isExhaustive {
      lines.append("There are too many states to compare: not all of them were looked at.")
    }
    if search.isDoubtful {
      lines.append(
        "This is DOUBTFUL: another state may be newer, or there are traces of one that is damaged. "
          + "Compare devices and mappings with those you remember before the pool is written to.")
    }
    if salvage.corrections.isTransactionGuessed {
      lines.append(
        "Transaction id \(salvage.header.transactionID) is a guess, from the highest that a device "
          + "has; if 'lvs -o transaction_id VG/POOL' shows another, repair again with "
          + "--transaction-id.")
    }
    if salvage.overrides.dataBlockCount == nil {
      lines.append(
        "The number of data blocks, \(salvage.header.dataBlockCount), only reaches the highest "
          + "that is mapped; the pool grows to the size of its data device when it is activated. "
          + "--nr-data-blocks raises the number.")
    }
    return lines
  }
}
