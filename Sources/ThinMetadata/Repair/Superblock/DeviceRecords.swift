internal import PersistentData

/// What a state of a pool records of its devices, as far as it differs from another state, and
/// whether it is the older one by that.
///
/// The pool's time and its transaction id only grow. A device keeps those of its creation, and gets
/// the time of each snapshot that is taken of it.
///
/// Source: Linux, drivers/md/dm-thin-metadata.c, `__create_snap`, `__set_snapshot_details`.
struct DeviceRecords {
  private var records: [UInt64: DeviceDetails] = [:]
  /// Whether no device is missing because of damage.
  private let isComplete: Bool

  /// Those of `state` in leaves that `other` does not have.
  init(_ state: PoolState, notIn other: PoolState, _ census: BlockCensus) {
    isComplete = state.isWhole
    census.forEachDetailsLeaf(of: state, notIn: other) { leaf in
      for (id, details) in leaf { records[id] = details }
    }
  }

  /// Whether these are of an earlier state than `others` are.
  func areOlder(than others: DeviceRecords) -> Bool {
    let latest = others.latest
    return records.contains { id, details in
      guard let other = others.records[id] else {
        // A device that was created after these others were written would be no older than they
        // are, so this one was deleted before.
        return others.isComplete
          && (details.creationTime < latest.time || details.transactionID < latest.transaction)
      }
      return details.snapshottedTime < other.snapshottedTime
        || details.transactionID < other.transactionID
    }
  }

  /// The pool can't have been at an earlier time, or had a lower transaction id.
  private var latest: (time: UInt32, transaction: UInt64) {
    records.values.reduce(into: (0, 0)) { latest, details in
      latest.0 = max(latest.0, details.creationTime, details.snapshottedTime)
      latest.1 = max(latest.1, details.transactionID)
    }
  }
}

extension BlockCensus {
  /// Goes through the leaves of a state's details that `other` does not have.
  func forEachDetailsLeaf(
    of state: PoolState, notIn other: PoolState?,
    _ body: ([(id: UInt64, details: DeviceDetails)]) -> Void
  ) {
    var open = [state.roots?.details].compactMap { $0 }
    var seen: Set<MetadataBlock> = []
    while let block = open.popLast() {
      if other?.allocated.contains(block) ?? false { continue }
      guard seen.insert(block).inserted else { continue }
      open += children(of: block)
      if let leaf = details[block] { body(leaf) }
    }
  }
}
