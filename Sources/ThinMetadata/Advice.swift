package import PersistentData

/// What a person should know after a check, and do next: plain sentences, a line each.
package struct Advice: Sendable {
  package let lines: [String]

  /// `input`: the device or file as the person named it. `isMended`: what could be mended in
  /// place has been. `left`: what a check has found since then, if it could be made. `undoFile`:
  /// what can take that back.
  package init(
    _ report: CheckReport, input: String, isMended: Bool, left: Findings? = Findings(),
    undoFile: String? = nil
  ) {
    let findings = report.findings
    var lines: [String] = []
    if let amounts = Advice.amounts(findings) { lines.append("Found \(amounts).") }
    lines += Advice.affected(report)
    if isMended {
      lines.append(Advice.afterMending(left))
      if let undoFile {
        lines.append(
          "Until the pool is used, 'thin_check --undo \(undoFile) \(input)' takes that back.")
      }
    } else if findings.worst == .error {
      lines += Advice.forErrors(report, input)
    } else if findings.worst == .leak {
      lines.append(
        "Nothing but space is at risk. 'thin_check --auto-repair \(input)' gives it back; LVM does "
          + "the same when it activates the pool, unless its thin_check_options were changed.")
    } else if report.superblock?.needsCheck == true, report.isComplete {
      lines.append(
        "The metadata is sound. The kernel could not write it once, and its log says why. When "
          + "that is put right, 'thin_check --clear-needs-check-flag \(input)' lets the pool be "
          + "written again; LVM does the same when it activates the pool, unless its "
          + "thin_check_options were changed.")
    }
    if findings.counts[.snapshottedTimeTooLow] != nil, findings.worst != .error, !isMended {
      lines.append(
        "With such times the kernel writes to blocks that other devices, or other virtual blocks, "
          + "have as well, and changes what these read. 'thin_check --auto-repair \(input)' has it "
          + "copy such blocks first; LVM does the same when it activates the pool, unless its "
          + "thin_check_options were changed. If the pool was written to in this state, check the "
          + "data.")
    }
    if let superblock = report.superblock {
      lines += Advice.forTransactions(findings, superblock, input)
      lines += Advice.forSpace(findings, superblock)
    }
    if findings.counts[.metadataSnapshotHeld] != nil {
      lines.append(
        "While a metadata snapshot is held, the pool takes more metadata space. When nobody reads "
          + "it any more: 'dmsetup message VG-POOL-tpool 0 release_metadata_snap'.")
    }
    self.lines = lines
  }

  /// Where the pool's transaction id is lower than a device's, the metadata is older than what LVM
  /// knows, or was put together by hand.
  private static func forTransactions(
    _ findings: Findings, _ superblock: Superblock, _ input: String
  ) -> [String] {
    guard findings.counts[.transactionInFuture] != nil, findings.worst != .error else { return [] }
    let own = superblock.transactionID
    return [
      "LVM activates a pool only if it has the transaction id that LVM expects; this one has "
        + "\(own). Should LVM say 'transaction_id is \(own), while expected N', give it that "
        + "number in new metadata:",
      "  thin_dump \(input) -o XML",
      "  thin_restore -i XML -o NEW --transaction-id N",
    ]
  }

  private static func forSpace(_ findings: Findings, _ superblock: Superblock) -> [String] {
    var lines: [String] = []
    let space = MetadataSpace(superblock.metadataSpaceMap)
    let numbers =
      "\(space.free) blocks of 4 KiB are free, and the kernel keeps \(space.reserve) for itself"
    if findings.counts[.metadataFull] != nil {
      lines.append(
        "Metadata space is used up: \(numbers). The pool can't be written before it has more: "
          + "'lvextend --poolmetadatasize +SIZE VG/POOL'.")
    }
    if findings.counts[.metadataNearlyFull] != nil {
      lines.append(
        "Metadata space is short: \(numbers). Make room before the pool stops: 'lvextend "
          + "--poolmetadatasize +SIZE VG/POOL'.")
    }
    if findings.counts[.dataFull] != nil {
      lines.append(
        "Data space is used up: writes that need a new block fail, and file systems may have seen "
          + "errors. 'lvextend --size +SIZE VG/POOL' adds some; check the file systems then.")
    }
    return lines
  }

  /// How much was found of each severity; `nil` when there is nothing but notes.
  private static func amounts(_ findings: Findings) -> String? {
    let words: [(Severity, one: String, many: String)] = [
      (.error, "error", "errors"),
      (.leak, "block leaked or counted too high", "blocks leaked or counted too high"),
      (.warning, "warning", "warnings"),
    ]
    let parts = words.compactMap { severity, one, many -> String? in
      let count = findings.count(severity)
      return count == 0 ? nil : "\(count) \(count == 1 ? one : many)"
    }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// What came of mending, and the faults that are still there.
  private static func afterMending(_ left: Findings?) -> String {
    guard let left else { return "Mended in place; whether anything is left is not known." }
    guard let amounts = amounts(left) else {
      return "Mended in place; a check finds nothing wrong any more."
    }
    let faults = Rule.allCases.filter { left.counts[$0] != nil && $0.severity > .note }
      .map(\.entry.fault)
    return "Mended in place what can be; a check still finds \(amounts): "
      + faults.joined(separator: "; ") + "."
  }

  private static func affected(_ report: CheckReport) -> [String] {
    let sectors = UInt64(report.superblock?.dataBlockSectors ?? 0)
    let most = 20
    var lines = report.damage.prefix(most).map { damage -> String in
      if damage.lost == [0...UInt64.max] {
        return "Device \(damage.device): none of its virtual blocks can be read."
      }
      let ranges = KeyRanges.text(damage.lost, sectorsPerBlock: sectors)
      return damage.hasMisfits
        ? "Device \(damage.device): mappings may be missing in \(ranges)."
        : "Device \(damage.device): \(ranges) can't be read."
    }
    if report.damage.count > most {
      lines.append("\(report.damage.count - most) more devices have mappings that can't be read.")
    }
    if !report.lostIDs.isEmpty {
      lines.append("The list of devices can't be read as a whole: there may be more of them.")
    }
    return lines
  }

  private static func forErrors(_ report: CheckReport, _ input: String) -> [String] {
    guard report.superblock != nil else {
      return [
        "Without a superblock nothing can be checked. If this is the right device, 'thin_repair -i "
          + "\(input) -o NEW' looks for the pool in its other blocks. DON'T activate it: where "
          + "block 0 is zeroed the kernel would format it."
      ]
    }
    var lines: [String] = []
    if report.findings.counts[.deviceTruncated] != nil {
      lines.append(
        "The metadata goes on beyond the end of '\(input)': if this is a copy, it was cut short; "
          + "make a whole one and check that.")
    }
    if report.damage.isEmpty, report.lostIDs.isEmpty, report.hasReadMappings {
      lines.append("Every mapping can be read.")
    }
    lines += [
      "Don't activate the pool. Keep a copy of this metadata, then write new metadata from what is "
        + "sound:",
      "  thin_repair -i \(input) -o NEW        (\(input) is only read)",
      "  with LVM: lvconvert --repair VG/POOL   (keep the old metadata, VG/POOL_metaN, until your "
        + "data is checked)",
    ]
    return lines
  }
}

/// Ranges of virtual blocks in words.
package enum KeyRanges {
  /// `sectorsPerBlock`: to give sizes in bytes as well; 0 when unknown.
  package static func text(_ ranges: [ClosedRange<UInt64>], sectorsPerBlock: UInt64) -> String {
    let shown = 4
    var parts = ranges.prefix(shown).map { range -> String in
      if range == 0...UInt64.max { return "all virtual blocks" }
      if range.upperBound == .max { return "virtual blocks from \(range.lowerBound) on" }
      let count = range.upperBound - range.lowerBound + 1
      let size = count.multipliedReportingOverflow(by: sectorsPerBlock * 512)
      let bytes =
        size.overflow || sectorsPerBlock == 0 ? "" : " (\(ByteCount.text(size.partialValue)))"
      return "virtual blocks \(range.lowerBound)..\(range.upperBound)\(bytes)"
    }
    if ranges.count > shown { parts.append("\(ranges.count - shown) more ranges") }
    return parts.joined(separator: ", ")
  }
}

/// Sizes in words.
package enum ByteCount {
  /// In the largest binary unit that leaves at least 1, with one decimal.
  package static func text(_ bytes: UInt64) -> String {
    var unit = 0
    var rest = bytes
    while rest >= 1024 * 10, unit < 5 {
      rest /= 1024
      unit += 1
    }
    return "\(rest) \(["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"][unit])"
  }
}
