internal import PersistentData

/// What came back of a device and what did not, in words.
package struct RecoverySummary: Sendable {
  /// A line for each range that is not in the output, with the reason.
  package let leftOut: [String]
  /// What it amounts to, and what to do next.
  package let lines: [String]

  /// `output`: as the person named it.
  package init(_ recovery: Recovery, output: String) {
    leftOut =
      RecoverySummary.ranges(leftOut: recovery.parts.filter { !$0.fate.isKept }).map {
        "left out: \($0)"
      } + recovery.lost.map { "lost: \(RecoverySummary.textOfLost($0))" }
    lines =
      RecoverySummary.counts(recovery) + RecoverySummary.doubts(recovery)
      + RecoverySummary.next(recovery, output)
  }

  // MARK: Ranges

  /// What doesn't come back, range by range, with the reason.
  static func ranges(leftOut parts: [Recovery.Part]) -> [String] {
    joined(parts).map { part in
      let run = part.run
      return "\(blocks("virtual", run.virtualBegin, run.length)), "
        + "\(blocks("data", run.dataBegin, run.length)): \(reason(part))"
    }
  }

  /// Runs that go on in the next leaf, or at another time, are one range for a person.
  private static func joined(_ parts: [Recovery.Part]) -> [Recovery.Part] {
    parts.reduce(into: []) { joined, part in
      var part = part
      part.run.time = 0
      joined.appendJoining(part)
    }
  }

  private static func reason(_ part: Recovery.Part) -> String {
    let user = part.user.map { "device \($0)" } ?? "another"
    switch part.fate {
    case .free, .shared: return "kept"
    case .reused: return "given to \(user) since"
    case .unclear: return "\(user) has the same; whether shared or given to it since is not known"
    case .held: return "in use, but nothing readable maps it"
    case .unknown: return "not known whether it is in use"
    case .repeated: return "mapped twice, so part of the old tree was given out again"
    }
  }

  private static func blocks(_ kind: String, _ first: UInt64, _ count: UInt64) -> String {
    count == 1 ? "\(kind) block \(first)" : "\(kind) blocks \(first)..\(first + count - 1)"
  }

  static func textOfLost(_ keys: ClosedRange<UInt64>) -> String {
    "\(KeyRanges.text(keys)): the block that had their mappings was given out again or is damaged"
  }

  // MARK: Sums

  private static func counts(_ recovery: Recovery) -> [String] {
    let kept = recovery.device.details.mappedBlocks
    let before = recovery.oldDetails.map { max($0.mappedBlocks, recovery.foundCount) }
    let all = before ?? recovery.foundCount
    var lines = [
      "Device \(recovery.oldID) of root \(recovery.root.block) is device \(recovery.device.id) in "
        + "the output: \(kept) of \(all) mappings are back."
    ]
    let free = recovery.count(.free)
    if free > 0 {
      lines.append(
        "  Free today: the data blocks of \(free). They still hold the old data, unless they were "
          + "discarded, or reused and freed again, in the meantime; metadata can't tell.")
    }
    let shared = recovery.count(.shared)
    if shared > 0 {
      lines.append(
        "  In use ever since: the data blocks of \(shared). Other devices, or the metadata "
          + "snapshot, have the same data there.")
    }
    let missing = all - kept
    if missing > 0 {
      lines.append(
        "  Not back: \(missing). Their ranges read as zeroes; where they are known, they are "
          + "listed with the reason.")
    }
    return lines
  }

  private static func doubts(_ recovery: Recovery) -> [String] {
    var lines: [String] = []
    if recovery.oldDetails == nil {
      lines.append(
        "Its details are lost and were made anew; nothing confirms the number of mappings.")
    }
    let found = recovery.foundCount
    let isOff = recovery.oldDetails.map { $0.mappedBlocks < found } ?? false
    let isShort =
      recovery.lost.isEmpty && recovery.oldDetails.map { $0.mappedBlocks > found } ?? false
    if isOff || isShort || recovery.count(.repeated) > 0 {
      lines.append(
        "This is DOUBTFUL: its details say \(recovery.oldDetails?.mappedBlocks ?? 0) mappings, its "
          + "tree has \(found). Part of the tree may be another device's by now.")
    }
    if recovery.salvage.reader.heldSuperblock != nil {
      lines.append("The output has no metadata snapshot.")
    }
    return lines
  }

  private static func next(_ recovery: Recovery, _ output: String) -> [String] {
    let end = recovery.keptRuns.last.map { $0.virtualLast.addingReportingOverflow(1).partialValue }
    let size = (end ?? 0).multipliedReportingOverflow(by: UInt64(recovery.pool.dataBlockSectors))
    let sectors = size.overflow || size.partialValue == 0 ? "SECTORS" : "\(size.partialValue)"
    return [
      "next: check '\(output)', put it in the place of the pool's metadata (thin_roots(8) tells "
        + "how), activate the pool, and look at the device, read-only at first:",
      "  dmsetup create recovered --readonly --table '0 \(sectors) thin "
        + "/dev/mapper/VG-POOL-tpool \(recovery.device.id)'",
      "Metadata does not say how large the device was: \(sectors) sectors reach to the end of its "
        + "last mapping. If it was larger, give more.",
    ]
  }
}
