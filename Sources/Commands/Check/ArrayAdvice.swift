internal import PersistentData

/// What the user should know and do next after a check of a cache or an era device: plain
/// sentences, a line each.
struct ArrayAdvice {
  let target: MetadataTarget
  /// As the user named it.
  let input: String
  /// Blocks that new metadata should have.
  var newBlockCount: UInt64
  /// What the damage costs, a sentence each.
  var losses: [String] = []
  /// Remarks on sound metadata.
  var remarks: [String] = []
  /// Whether there is a superblock.
  var hasSuperblock: Bool
  var needsCheck = false
  var isComplete: Bool

  /// The lines for the result of a check. `isWatched`: somebody is reading; otherwise only what has
  /// to be done is said.
  func lines<Report>(
    _ result: CheckResult<Report>, _ findings: Findings, wasToMend: Bool, isWatched: Bool
  ) -> [String] {
    var lines: [String] = []
    let isTelling = isWatched || findings.callForAction || result.isMended
    if isTelling, let amounts = findings.amounts { lines.append("Found \(amounts).") }
    lines += losses
    if findings.worst == .error {
      if wasToMend { lines.append("Nothing was mended, as there are errors.") }
      return lines + forErrors(findings)
    }
    if result.isMended {
      lines.append(Findings.afterMending(result.left, of: input))
      if let undoFile = result.undoFile {
        lines.append("Until the \(target.activated) is used, this undoes it:")
        lines.append(
          "  \(target.tool("check")) --undo \(ShellWord(undoFile)) \(ShellWord(input))")
      }
    } else {
      if isWatched, lines.isEmpty, !needsCheck {
        lines.append(isComplete ? "The metadata is sound." : "What was looked at is sound.")
      }
      lines += forMending(findings)
    }
    return lines + (isWatched ? remarks : [])
  }

  private func forErrors(_ findings: Findings) -> [String] {
    let isFailing = findings.counts[.blockUnreadable] != nil
    if !hasSuperblock {
      return [
        "Block 0 is not the superblock of \(target.owner), or no longer. Is this the right device?"
          + (target.place.map { " With LVM it is \($0)." } ?? "")
          + " If this is the right device, don't activate the \(target.activated)."
      ] + target.search(input, blockCount: newBlockCount, isFailing: isFailing)
    }
    if findings.counts[.deviceTruncated] != nil {
      return [
        "The metadata goes on beyond the end of '\(input)'. Don't activate the "
          + "\(target.activated), and don't repair it in this state. If this is a copy, it was cut "
          + "short: make a complete one and check that. If it is the device itself, get back the "
          + "extents that it had."
      ]
    }
    return target.repair(input, blockCount: newBlockCount, isFailing: isFailing)
  }

  private func forMending(_ findings: Findings) -> [String] {
    var lines: [String] = []
    if findings.worst == .leak {
      lines.append("No data is at risk: blocks of the metadata device are allocated, but unused.")
    }
    if needsCheck, isComplete {
      if findings.worst ?? .note < .warning { lines.append("The metadata is sound.") }
      lines.append(
        "The kernel failed to write metadata once and set needs_check; its log says why "
          + "('journalctl -k'). Until the flag is cleared, the \(target.activated) can't be "
          + "activated.")
    }
    return lines.isEmpty ? [] : lines + target.mending(input)
  }
}
