package import PersistentData

/// Recovers several devices of an old state, or all of it, beside all that the live state has.
///
/// Which mappings come back is decided as for a single device (`Recovery`). Leaves that devices of
/// the old state share stay shared.
package struct StateRecovery: Sendable {
  /// Which devices to recover.
  package enum Choice: Sendable {
    /// Those that the live state lacks or has changed, each under its own id where that is free.
    case all
    /// These, under ids counted down from the highest.
    case devices([UInt64])
  }

  /// A device that comes back.
  package struct Device: Sendable {
    package let oldID: UInt64
    /// As they were; `nil` when they are lost.
    package let oldDetails: DeviceDetails?
    /// What it will be in the output.
    package internal(set) var header: DeviceHeader
    /// Its mappings as far as its tree still has them, by what became of them.
    package let counts: [DataBlockFate: UInt64]
    /// Those that don't come back, in the order of virtual blocks.
    package let leftOut: [Recovery.Part]
    /// Virtual blocks whose mappings the tree has lost.
    package let lost: [ClosedRange<UInt64>]
    /// In key order.
    let leaves: [MetadataBlock]

    package var foundCount: UInt64 { counts.values.cappedSum }
  }

  package let root: OldRoots.Root
  /// Ascending by id in the output.
  package let devices: [Device]
  /// Devices of the state that the live one has unchanged; only for `Choice.all`.
  package let unchanged: [UInt64]
  package let salvage: Salvage
  /// Whether the transaction id is higher than the live state's, and inferred from the devices'.
  package let isTransactionGuessed: Bool
  /// Whether the old state is younger than the live one: it is another pool's, or this one's from
  /// before an older superblock came back.
  package let isYoungerThanLive: Bool

  let pool: PoolHeader
  let liveDevices: [(header: DeviceHeader, root: MetadataBlock?)]
  let contents: OldLeaves
  /// Leaves that more than one of the devices have.
  let shared: [MetadataBlock]

  package init(
    _ choice: Choice, from block: MetadataBlock, in file: BlockFile, beside salvage: Salvage
  ) throws(RecoveryError) {
    let old = OldRoots(file)
    guard let root = old[block] else { throw .noSuchRoot(treeOf: old.roots(withTree: block)) }
    let (chosen, same) = try StateRecovery.choose(choice, old, root, salvage)
    let trees = chosen.map { RecoveredTree(leavesOf: old.lists, below: $0.root) }
    var owners: [MetadataBlock: Set<UInt64>] = [:]
    var uses: [MetadataBlock: Int] = [:]
    for (device, tree) in zip(chosen, trees) {
      for leaf in tree.leaves {
        owners[leaf, default: []].insert(device.id)
        uses[leaf, default: 0] += 1
      }
    }
    let runs = RecoveredTree.runs(of: owners.keys.sorted(), in: file)
    let details = chosen.map { device in
      root.detailsRoot.flatMap { old.lists.details(of: device.id, below: $0) }
    }

    let isYounger = StateRecovery.isYounger(root, than: salvage)
    // If it is another pool's, nothing can be the same today.
    let timeFloor = isYounger ? 0 : root.timeFloor
    let count = max(salvage.pool.counts.references.count, salvage.header.dataBlockCount)
    let fates = DataBlockFates(DistinctRuns(runs.values.joined(), dataBlockCount: count).runs)
    let ownTrees =
      isYounger
      ? []
      : zip(chosen, details).flatMap {
        old.liveTrees(of: $0.id, $1, $0.root, salvage.reader)
      }
    let sharing = LiveSharing(salvage.reader, fates, timeFloor: timeFloor, ownTrees: ownTrees)
    let counts = StoredDataCounts(salvage.reader)
    let counted = salvage.reader.dataBlockCount
    // Data blocks that only the user says are there are free.
    fates.lookUp { $0 >= counted ? false : counts.isInUse($0) }
    contents = OldLeaves(
      runs, owners: owners, fates: fates, timeFloor: timeFloor, dataBlockCount: count)
    shared = uses.filter { $0.value > 1 }.map(\.key).sorted()

    self.root = root
    self.salvage = salvage
    unchanged = same
    isYoungerThanLive = isYounger
    let ids = try StateRecovery.ids(for: chosen.map(\.id), choice, salvage)
    var pool = salvage.header
    var devices: [Device] = []
    for (place, device) in chosen.enumerated() {
      devices.append(
        Device(
          device.id, as: ids[place], details[place], trees[place], contents, pool: pool))
    }
    isTransactionGuessed = StateRecovery.raise(&pool, choice, &devices)
    liveDevices = sharing.devicesThatCopy(salvage.devices)
    self.devices = devices.sorted { $0.header.id < $1.header.id }
    self.pool = StateRecovery.pool(pool, liveDevices, devices, contents)
  }

  /// Devices of the state to recover, ascending, and those that need not be.
  private static func choose(
    _ choice: Choice, _ old: OldRoots, _ root: OldRoots.Root, _ salvage: Salvage
  ) throws(RecoveryError) -> (chosen: [(id: UInt64, root: MetadataBlock)], unchanged: [UInt64]) {
    let all = old.devices(below: root.block)
    switch choice {
    case .all:
      let live = Dictionary(
        salvage.devices.map { ($0.header.id, $0.root) },
        uniquingKeysWith: { first, _ in first })
      let same = all.filter { live[$0.id] == .some(.some($0.root)) }
      let sameIDs = Set(same.map(\.id))
      return (all.filter { !sameIDs.contains($0.id) }, same.map(\.id))
    case .devices(let ids):
      let wanted = Set(ids)
      let chosen = all.filter { wanted.contains($0.id) }
      guard chosen.count == wanted.count else { throw .noSuchDevice(others: all.map(\.id)) }
      return (chosen, [])
    }
  }

  private static func isYounger(_ root: OldRoots.Root, than salvage: Salvage) -> Bool {
    root.standing == .superseded
      && (root.timeFloor > salvage.header.time
        || (root.transactionID ?? 0) > salvage.header.transactionID)
  }

  /// Ids in the output.
  private static func ids(
    for old: [UInt64], _ choice: Choice, _ salvage: Salvage
  ) throws(RecoveryError) -> [UInt64] {
    var taken = Set(salvage.devices.map(\.header.id))
    var ids: [UInt64?] = old.map { id in
      guard case .all = choice, id <= DeviceDetails.deviceIDMaximum, !taken.contains(id)
      else { return nil }
      return id
    }
    taken.formUnion(ids.compactMap(\.self))
    var next = DeviceDetails.deviceIDMaximum
    for index in ids.indices where ids[index] == nil {
      while next > 0, taken.contains(next) { next -= 1 }
      guard taken.insert(next).inserted else { throw .idTaken }
      ids[index] = next
    }
    return ids.compactMap(\.self)
  }

  /// With a whole state its transactions come back: if devices have later ones than the live state,
  /// its transaction id is raised. Otherwise the devices' are lowered.
  private static func raise(
    _ pool: inout PoolHeader, _ choice: Choice, _ devices: inout [Device]
  ) -> Bool {
    let highest = devices.map(\.header.details.transactionID).max() ?? 0
    if case .all = choice, highest > pool.transactionID {
      pool.transactionID = highest == .max ? highest : highest + 1
      return true
    }
    for index in devices.indices {
      devices[index].header.details.transactionID = min(
        devices[index].header.details.transactionID, pool.transactionID)
    }
    return false
  }

  /// The pool with room for all times and data blocks.
  private static func pool(
    _ before: PoolHeader, _ live: [(header: DeviceHeader, root: MetadataBlock?)],
    _ devices: [Device], _ contents: OldLeaves
  ) -> PoolHeader {
    var pool = before
    for details in live.map(\.header.details) + devices.map(\.header.details) {
      pool.time = max(
        pool.time, min(max(details.creationTime, details.snapshottedTime), Mapping.timeMaximum))
    }
    for leaf in contents.leaves.values {
      for run in leaf.kept {
        pool.time = max(pool.time, run.time)
        pool.dataBlockCount = max(pool.dataBlockCount, run.dataBlocks.upperBound)
      }
    }
    return pool
  }
}

extension StateRecovery.Device {
  fileprivate init(
    _ oldID: UInt64, as id: UInt64, _ details: DeviceDetails?, _ tree: RecoveredTree,
    _ contents: OldLeaves, pool: PoolHeader
  ) {
    let leaves = tree.leaves.compactMap { contents.leaves[$0] }
    self.oldID = oldID
    oldDetails = details
    self.leaves = tree.leaves
    lost = tree.lost
    leftOut = leaves.flatMap(\.leftOut)
    counts = leaves.reduce(into: [:]) { sum, leaf in sum.merge(leaf.counts, uniquingKeysWith: +) }
    header = DeviceHeader(
      id: id,
      details: details
        ?? DeviceDetails(
          mappedBlocks: 0, transactionID: pool.transactionID, creationTime: pool.time,
          snapshottedTime: pool.time))
    header.details.mappedBlocks = counts.filter(\.key.isKept).map(\.value).cappedSum
    // Details that are not its own may say that nothing was shared.
    let times = leaves.compactMap { details == nil ? $0.latestTime : $0.latestShared }
    header.details.snapshottedTime = max(
      header.details.snapshottedTime, times.max().map { $0 + 1 } ?? 0)
  }
}
