internal import PersistentData

/// Devices that the two lists have under different ids, where nothing tells which id is wrong.
///
/// Each list then has one device that the other lacks, and details and tree agree on the number of
/// mappings. Under the wrong id the device would seem empty. So both ids get the tree and the
/// details, like a device and its snapshot.
struct UnclearIDs {
  /// As they are written, ascending by id.
  private(set) var devices: [ThinDevice]
  /// Two ids for each such device.
  private(set) var pairs: [(details: UInt64, tree: UInt64)] = []

  /// The ids of all pairs.
  var ids: Set<UInt64> { Set(pairs.flatMap { [$0.details, $0.tree] }) }

  /// `devices`: of `pool`, each with an id that it can have.
  init(_ devices: [ThinDevice], _ pool: PoolReading) {
    let reader = pool.reader
    self.devices = devices
    let listed = devices.indices.filter { index in
      let id = devices[index].id
      return devices[index].root == nil && devices[index].details != nil
        && !reader.lostTopLevel.contains { $0.contains(id) }
    }
    let rooted = devices.indices.filter { index in
      let id = devices[index].id
      return devices[index].root != nil && devices[index].details == nil
        && !reader.lostDetails.contains { $0.contains(id) }
    }
    guard listed.count == 1, rooted.count == 1, let index = listed.first, let other = rooted.first,
      let details = devices[index].details, let root = devices[other].root
    else { return }
    let total = pool.counts.totals[below: root]
    guard !total.hasDamage, total.entryCount == details.mappedBlocks, total.entryCount > 0
    else { return }
    self.devices[index].root = root
    self.devices[other].details = details
    pairs = [(details: devices[index].id, tree: devices[other].id)]
  }
}
