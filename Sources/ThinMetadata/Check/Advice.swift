package import PersistentData

/// What a person should know after a check, and do next: plain sentences, a line each.
package struct Advice: Sendable {
  package let lines: [String]

  /// `input`: the device or file as the person named it. `isMended`: what could be mended in place
  /// has been. `left`: what a check found afterwards, if one could be made. `undoFile`: what undoes
  /// it. `wasToMend`: mending was asked for, done or not. `isWatched`: somebody reads along;
  /// otherwise only what has to be done is said.
  package init(
    _ report: CheckReport, input: String, isMended: Bool, left: Findings? = Findings(),
    undoFile: String? = nil, wasToMend: Bool = false, isWatched: Bool = true
  ) {
    let findings = report.findings
    let isTelling = isWatched || findings.callForAction || isMended
    var lines: [String] = []
    if isTelling, let amounts = findings.amounts { lines.append("Found \(amounts).") }
    lines += Advice.affected(report) + Advice.forOverwrittenData(report)
    if findings.worst == .error {
      // Whatever else there is to say can wait.
      if wasToMend { lines.append("Nothing was mended, as there are errors.") }
      self.lines = lines + Advice.forErrors(report, input)
      return
    }
    let later = Advice.later(report, input, isWatched: isWatched)
    if isMended {
      lines.append(Findings.afterMending(left, of: input))
      if let undoFile {
        lines.append("Until the pool is used, this undoes it:")
        lines.append("  thin_check --undo \(ShellWord(undoFile)) \(ShellWord(input))")
      }
      lines += later
    } else {
      let mending = Advice.forMending(report, input)
      if isWatched, lines.isEmpty, !report.needsCheck { lines.append(Advice.verdict(report)) }
      lines += mending
      if !mending.isEmpty, !later.isEmpty { lines.append("When that is done:") }
      lines += later
    }
    self.lines = lines
  }

  /// Where nothing was found.
  private static func verdict(_ report: CheckReport) -> String {
    guard report.isComplete, let superblock = report.superblock else {
      if report.isOfSnapshot, report.hasReadMappings { return "The metadata snapshot is sound." }
      return "What was looked at is sound."
    }
    return "The metadata is sound. If LVM doesn't activate the pool, check that 'lvs -o "
      + "transaction_id VG/POOL' shows \(superblock.transactionID) too."
  }

  /// What mending in place would put right, and how to have it done.
  private static func forMending(_ report: CheckReport, _ input: String) -> [String] {
    let findings = report.findings
    // A running pool can't be mended.
    if report.isOfSnapshot { return [] }
    var lines: [String] = []
    if findings.worst == .leak {
      lines.append(
        "No data is at risk: blocks are allocated, but nothing uses them. LVM may refuse to "
          + "activate the pool until that is mended.")
    }
    if report.needsCheck {
      if findings.worst ?? .note < .warning { lines.append("The metadata is sound.") }
      lines.append(
        "The kernel failed to write metadata once and set needs_check; its log says why "
          + "('journalctl -k'). Until the flag is cleared, the pool takes no new data and can't "
          + "use added space.")
    }
    if findings.counts[.snapshottedTimeTooLow] != nil {
      lines.append(
        "With these times the kernel writes in place to blocks that other devices, or other "
          + "virtual blocks, also map, and so changes their data. After mending it copies such "
          + "blocks first. If the pool was written to in this state, check the data.")
    }
    return lines.isEmpty ? [] : lines + Commands.mending(input)
  }

  /// What can wait until the metadata is sound.
  private static func later(
    _ report: CheckReport, _ input: String, isWatched: Bool
  ) -> [String] {
    guard let superblock = report.superblock else { return [] }
    let findings = report.findings
    var lines = forSpace(report, superblock)
    if !report.isOfSnapshot { lines = forTransactions(report, superblock, input) + lines }
    if findings.counts[.formerDevices] != nil {
      lines += [
        "This pool has no devices. If it was emptied, or formatted over another, by mistake, don't "
          + "activate it. This lists the old states that are still there and can recover their "
          + "devices:",
        "  thin_roots \(ShellWord(input))",
      ]
    }
    if isWatched, findings.counts[.metadataSnapshotHeld] != nil {
      lines.append(
        "While a metadata snapshot is held, the pool takes more metadata space. When nobody reads "
          + "it any more, release it: 'dmsetup message VG-POOL-tpool 0 release_metadata_snap'.")
    }
    return lines
  }

  /// Where the pool's transaction id is lower than a device's, the metadata is older than what LVM
  /// knows, or was put together by hand.
  private static func forTransactions(
    _ report: CheckReport, _ superblock: Superblock, _ input: String
  ) -> [String] {
    guard report.findings.counts[.transactionInFuture] != nil else { return [] }
    let own = superblock.transactionID
    return [
      "This pool has transaction id \(own). If 'lvs -o transaction_id VG/POOL' shows another, N, "
        + "LVM can't activate the pool, or can't make volumes in it. Then write new metadata with "
        + "N:"
    ] + Commands.newTransaction(input, blockCount: report.newBlockCount)
  }

  private static func forSpace(_ report: CheckReport, _ superblock: Superblock) -> [String] {
    let findings = report.findings
    var lines: [String] = []
    let space = MetadataSpace(superblock.metadataSpaceMap)
    let numbers =
      "\(space.free) blocks of 4 KiB are free, and the kernel keeps \(space.reserve) for itself"
    let isShort = [.metadataFull, .metadataNearlyFull].contains { findings.counts[$0] != nil }
    let known = superblock.metadataSpaceMap.blockCount
    if isShort, report.blockCount > known {
      lines.append(
        "Metadata space is short: \(numbers). But the device is larger: the pool gains "
          + "\((report.blockCount - known) * 4) KiB when it is next activated.")
    } else if findings.counts[.metadataFull] != nil {
      lines.append(
        "Metadata space is used up: \(numbers). The pool can't be written to until it has more: "
          + "'lvextend --poolmetadatasize +SIZE VG/POOL'.")
    } else if findings.counts[.metadataNearlyFull] != nil {
      lines.append(
        "Metadata space is short: \(numbers). Make room before the pool stops: 'lvextend "
          + "--poolmetadatasize +SIZE VG/POOL'.")
    }
    if findings.counts[.dataFull] != nil {
      let size = ByteCount.text(sectors: superblock.dataBlockSectors)
      lines.append(
        "Every data block that the metadata knows of is in use, all "
          + "\(superblock.dataSpaceMap.blockCount) of \(size). If VG/POOL is larger than that, the "
          + "pool grows when it is activated. If not, writes that need a new block fail, and file "
          + "systems may have seen errors: add space with 'lvextend --size +SIZE VG/POOL', then "
          + "check the file systems.")
    }
    return lines
  }
}
