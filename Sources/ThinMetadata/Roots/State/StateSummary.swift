internal import PersistentData

/// What came back of several devices of an old state and what did not, in words.
package struct StateSummary: Sendable {
  /// A line for each range that is not in the output, with the device and the reason.
  package let leftOut: [String]
  /// What it amounts to, and what to do next.
  package let lines: [String]

  /// The most devices that are listed one by one.
  private static let limit = 100

  /// `output`: as the person named it.
  package init(_ recovery: StateRecovery, output: String) {
    leftOut = recovery.devices.flatMap { device in
      RecoverySummary.ranges(leftOut: device.leftOut).map {
        "left out: device \(device.oldID): \($0)"
      }
        + device.lost.map { "lost: device \(device.oldID): \(RecoverySummary.textOfLost($0))" }
    }
    lines =
      StateSummary.devices(recovery) + StateSummary.doubts(recovery)
      + StateSummary.next(recovery, output)
  }

  private static func devices(_ recovery: StateRecovery) -> [String] {
    let root = recovery.root.block
    var lines = recovery.devices.prefix(limit).map { device in
      let kept = device.header.details.mappedBlocks
      let all = device.oldDetails.map { max($0.mappedBlocks, device.foundCount) }
      return "Device \(device.oldID) of root \(root) is device \(device.header.id) in the output: "
        + "\(kept) of \(all ?? device.foundCount) mappings are back."
    }
    let rest = recovery.devices.count - lines.count
    if rest > 0 { lines.append("\(rest) more devices are back.") }
    if !recovery.unchanged.isEmpty {
      lines.append(
        "The live state has these unchanged, and the output has them once: "
          + "\(recovery.unchanged.deviceIDs).")
    }
    let free = recovery.devices.map { $0.counts[.free, default: 0] }.cappedSum
    if free > 0 {
      lines.append(
        "Free today: the data blocks of \(free) mappings. They still hold the old data, unless "
          + "they were discarded, or reused and freed again, in the meantime; metadata can't tell.")
    }
    return lines
  }

  private static func doubts(_ recovery: StateRecovery) -> [String] {
    var lines: [String] = []
    let bare = recovery.devices.filter { $0.oldDetails == nil }.map(\.oldID)
    if !bare.isEmpty {
      lines.append(
        "Details are lost and were made anew, and nothing confirms the number of mappings: device "
          + "\(bare.deviceIDs).")
    }
    let odd = recovery.devices.filter { device in
      guard let before = device.oldDetails?.mappedBlocks else { return false }
      return before < device.foundCount || device.lost.isEmpty && before > device.foundCount
        || device.counts[.repeated] != nil
    }.map(\.oldID)
    if !odd.isEmpty {
      lines.append(
        "This is DOUBTFUL: the tree has another number of mappings than the details say, or part "
          + "of it is another device's by now: device \(odd.deviceIDs).")
    }
    if recovery.isYoungerThanLive {
      lines.append(
        "That state is younger than the live one, so it belongs to another pool, or to this one "
          + "before an older superblock was written back. Data blocks that the live state maps are "
          + "left out.")
    }
    if recovery.isTransactionGuessed {
      lines.append(
        "Transaction id \(recovery.pool.transactionID) is a guess, from the highest that a device "
          + "has; if 'lvs -o transaction_id VG/POOL' shows another, do this again with "
          + "--transaction-id.")
    }
    if recovery.salvage.reader.heldSuperblock != nil {
      lines.append("The output has no metadata snapshot.")
    }
    return lines
  }

  private static func next(_ recovery: StateRecovery, _ output: String) -> [String] {
    [
      "next: check \(output), put it in the place of the pool's metadata (thin_roots(8) tells "
        + "how), and check the data, read-only at first."
    ]
  }
}
