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
    if findings.worst == .error {
      // Whatever else there is to say can wait.
      self.lines = lines + Advice.forErrors(report, input)
      return
    }
    if isMended {
      lines.append(Advice.afterMending(left))
      if let undoFile {
        lines.append(
          "Until the pool is used, 'thin_check --undo \(undoFile) \(input)' takes that back.")
      }
    } else {
      lines += Advice.forMending(report, input)
    }
    if let superblock = report.superblock {
      lines += Advice.forTransactions(findings, superblock, input)
      lines += Advice.forSpace(findings, superblock, mayGrow: isMended || !superblock.needsCheck)
    }
    if findings.counts[.metadataSnapshotHeld] != nil {
      lines.append(
        "While a metadata snapshot is held, the pool takes more metadata space. When nobody reads "
          + "it any more: 'dmsetup message VG-POOL-tpool 0 release_metadata_snap'.")
    }
    self.lines = lines
  }

  /// What mending in place would put right, and how to have it done.
  private static func forMending(_ report: CheckReport, _ input: String) -> [String] {
    let findings = report.findings
    var lines: [String] = []
    if findings.worst == .leak {
      lines.append("Nothing but space is at risk: blocks are held for nothing.")
    }
    if report.superblock?.needsCheck == true, report.isComplete {
      lines.append(
        (findings.worst == .leak ? "" : "The metadata is sound. ")
          + "The kernel could not write it once, and its log says why. Until the flag needs_check "
          + "is cleared, it writes nothing to the pool and does not let it grow.")
    }
    if findings.counts[.snapshottedTimeTooLow] != nil {
      lines.append(
        "With such times the kernel writes to blocks that other devices, or other virtual blocks, "
          + "have as well, and changes what these read; mended, it copies such blocks first. If "
          + "the pool was written to in this state, check the data.")
    }
    if lines.isEmpty { return [] }
    return lines + [
      "To mend this with LVM, deactivate all volumes of the pool and the pool, then:",
      "  lvchange -ay --config 'global/thin_check_options=[\"-q\",\"--clear-needs-check-flag\"]' "
        + "VG/POOL",
      "To mend it in a file, or a device that is not in use:",
      "  thin_check --auto-repair \(input)",
    ]
  }

  /// Where the pool's transaction id is lower than a device's, the metadata is older than what LVM
  /// knows, or was put together by hand.
  private static func forTransactions(
    _ findings: Findings, _ superblock: Superblock, _ input: String
  ) -> [String] {
    guard findings.counts[.transactionInFuture] != nil else { return [] }
    let own = superblock.transactionID
    return [
      "LVM activates a pool only if it has the transaction id that LVM expects; this one has "
        + "\(own). Should LVM say 'transaction_id is \(own), while expected N', give it that "
        + "number in new metadata:",
      "  thin_dump \(input) -o XML",
      "  thin_restore -i XML -o NEW --transaction-id N",
      newOutput(superblock),
    ]
  }

  /// `mayGrow`: needs_check does not keep the kernel from it.
  private static func forSpace(
    _ findings: Findings, _ superblock: Superblock, mayGrow: Bool
  ) -> [String] {
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
    if !lines.isEmpty, !mayGrow { lines.append("Clear needs_check first, then add space.") }
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
    guard let superblock = report.superblock else { return forLostSuperblock(input) }
    let hidesMappings = !report.damage.isEmpty || !report.lostIDs.isEmpty
    var lines: [String] = []
    if !hidesMappings, report.hasReadMappings { lines.append("Every mapping can be read.") }
    if report.findings.counts[.deviceTruncated] != nil {
      return lines + forCutDevice(superblock, input)
    }
    if hidesMappings { lines.append("A repair may find much of that again.") }
    return lines + [
      "Don't activate the pool. Keep a copy of this metadata, and see what a repair would bring "
        + "back:",
      "  dd if=\(input) of=COPY bs=1M",
      "  thin_repair --dry-run -i COPY",
      "Then write new metadata from what is sound. With LVM (and VG/POOL_tmeta inactive again):",
      "  lvconvert --repair VG/POOL",
      "It keeps the old metadata as VG/POOL_metaN: leave that there until your data is checked. "
        + "Without LVM:",
      "  thin_repair -i COPY -o NEW",
      newOutput(superblock),
    ]
  }

  private static func forLostSuperblock(_ input: String) -> [String] {
    [
      "Without a superblock nothing can be checked. DON'T activate the pool: where block 0 is "
        + "zeroed the kernel would format it. If this is the right device, keep a copy, then have "
        + "a repair look for the pool in the other blocks:",
      "  dd if=\(input) of=COPY bs=1M",
      "  lvs -o chunksize --units s VG/POOL    (shows SECTORS)",
      "  thin_repair -i COPY -o NEW --data-block-size SECTORS",
      "NEW is a device, or a file made with 'truncate -s SIZE NEW', as large as this one. With LVM "
        + "it is a new volume; swap it in with 'lvconvert --swapmetadata --poolmetadata VG/NEW "
        + "VG/POOL'.",
    ]
  }

  /// Of metadata that isn't all there, a repair would drop what could be had again.
  private static func forCutDevice(_ superblock: Superblock, _ input: String) -> [String] {
    [
      "The metadata goes on beyond the end of '\(input)'. Don't activate the pool, and don't "
        + "repair it like this. A copy was cut short: make a whole one and check that. If this is "
        + "the pool's own device, get the rest back first: a physical volume is missing, or the "
        + "volume was made smaller than its \(superblock.metadataSpaceMap.blockCount) blocks of "
        + "4 KiB.",
      "  vgs -o +vg_missing_pv_count VG     (is a physical volume missing?)",
      "  lvs -a -o +seg_size,devices VG     (how large is [POOL_tmeta], and where is it?)",
      "  vgcfgrestore --list VG             (what was it before?)",
    ]
  }

  /// What the NEW of a command is. The device is no smaller than the space map says.
  private static func newOutput(_ superblock: Superblock) -> String {
    "NEW is a device, or a file made with 'truncate -s "
      + "\(superblock.metadataSpaceMap.blockCount * 4)K NEW'."
  }
}
