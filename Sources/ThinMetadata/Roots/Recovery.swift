package import PersistentData

/// Why a device can't be recovered.
package enum RecoveryError: Error {
  /// The block isn't a list of devices; the lists and devices whose mapping tree starts there.
  case noSuchRoot(treeOf: [(root: MetadataBlock, device: UInt64)])
  /// The state has other devices, or too little of it is left.
  case noSuchDevice(others: [UInt64])
  /// A device of the live state has the id.
  case idTaken
  /// Ids have 24 bits.
  case idTooLarge
}

/// Recovers one device of an old state, beside all that the live state has.
///
/// An old mapping comes back only where its data block still holds what it held, as far as metadata
/// can tell: the block is free, or mapped as it was. What was given to others stays theirs.
package struct Recovery: Sendable {
  /// Mappings of one fate.
  package struct Part: Hashable, Joinable, Sendable {
    package internal(set) var run: MappingRun
    package let fate: DataBlockFate
    /// The device that has the data blocks now; of several, the one with the lowest id.
    package let user: UInt64?

    package mutating func join(_ next: Part) -> Bool {
      next.fate == fate && next.user == user && run.join(next.run)
    }
  }

  package let root: OldRoots.Root
  /// The device's id in the old state.
  package let oldID: UInt64
  /// The details as they were; `nil` when they are lost.
  package let oldDetails: DeviceDetails?
  /// What the device will be in the output.
  package let device: DeviceHeader
  /// All mappings that its tree still has, ascending by virtual block.
  package let parts: [Part]
  /// Virtual blocks whose mappings the tree has lost.
  package let lost: [ClosedRange<UInt64>]
  /// The live state.
  package let salvage: Salvage

  /// The pool, with times that make the kernel copy newly shared blocks before it writes to them.
  let pool: PoolHeader
  let liveDevices: [(header: DeviceHeader, root: MetadataBlock?)]

  package func count(_ fate: DataBlockFate) -> UInt64 {
    parts.reduce(0) { $0 + ($1.fate == fate ? $1.run.length : 0) }
  }

  package var keptRuns: [MappingRun] { parts.filter(\.fate.isKept).map(\.run) }
  package var foundCount: UInt64 { parts.reduce(0) { $0 + $1.run.length } }

  /// `newID`: the id in the output; unless given, the highest that is free.
  package init(
    of device: UInt64, from block: MetadataBlock, in file: BlockFile, beside salvage: Salvage,
    as newID: UInt64?
  ) throws(RecoveryError) {
    let old = OldRoots(file)
    guard let root = old[block] else {
      throw .noSuchRoot(treeOf: old.roots(withTree: block))
    }
    guard let found = old.lists.device(device, below: block) else {
      throw .noSuchDevice(others: old.devices(below: block).map(\.id))
    }
    let id = try Recovery.freeID(newID, salvage)
    let details = root.detailsRoot.flatMap { old.lists.details(of: device, below: $0) }
    let tree = RecoveredTree(old.lists, below: found.root, in: file)
    let reader = salvage.reader
    let (distinct, odd) = Recovery.separate(
      tree.runs, dataBlockCount: salvage.pool.counts.references.count)
    let fates = DataBlockFates(distinct)
    let sharing = LiveSharing(
      reader, fates, timeFloor: root.timeFloor,
      ownTrees: old.liveTrees(of: device, details, found.root, reader))
    let counts = StoredDataCounts(reader)
    fates.lookUp { counts.isInUse($0) }

    self.root = root
    oldID = device
    oldDetails = details
    lost = tree.lost
    self.salvage = salvage
    parts = (fates.parts + odd).sorted { $0.run.virtualBegin < $1.run.virtualBegin }
    let kept = parts.filter(\.fate.isKept)

    var pool = salvage.header
    var header = DeviceHeader(
      id: id,
      details: details
        ?? DeviceDetails(
          mappedBlocks: 0, transactionID: pool.transactionID, creationTime: pool.time,
          snapshottedTime: pool.time))
    header.details.transactionID = min(header.details.transactionID, pool.transactionID)
    header.details.mappedBlocks = kept.reduce(0) { $0 + $1.run.length }
    // Details that are not its own may say that nothing was shared.
    let shared = kept.filter { details == nil || $0.fate == .shared }.map(\.run.time).max()
    header.details.snapshottedTime = max(
      header.details.snapshottedTime, shared.map { $0 + 1 } ?? 0)
    liveDevices = sharing.devicesThatCopy(salvage.devices)
    pool.time = liveDevices.reduce(pool.time) { max($0, $1.header.details.snapshottedTime) }
    pool.time = kept.reduce(pool.time) { max($0, $1.run.time) }
    pool.time = max(pool.time, header.details.creationTime, header.details.snapshottedTime)
    let highest = kept.map { $0.run.dataBegin + $0.run.length }.max() ?? 0
    pool.dataBlockCount = max(pool.dataBlockCount, highest)
    self.device = header
    self.pool = pool
  }

  private static func freeID(
    _ wanted: UInt64?, _ salvage: Salvage
  ) throws(RecoveryError) -> UInt64 {
    let taken = Set(salvage.devices.map(\.header.id))
    if let wanted {
      guard wanted <= DeviceDetails.deviceIDMaximum else { throw .idTooLarge }
      guard !taken.contains(wanted) else { throw .idTaken }
      return wanted
    }
    var id = DeviceDetails.deviceIDMaximum
    while id > 0, taken.contains(id) { id -= 1 }
    guard !taken.contains(id) else { throw .idTaken }
    return id
  }

  /// Takes out data blocks that the tree maps twice, and those that the pool can't have.
  private static func separate(
    _ runs: [MappingRun], dataBlockCount: UInt64
  ) -> (distinct: [MappingRun], odd: [Part]) {
    let references = RefCounts(count: dataBlockCount)
    var possible: [MappingRun] = []
    var odd: [Part] = []
    for run in runs {
      let room = run.dataBegin < dataBlockCount ? dataBlockCount - run.dataBegin : 0
      let inside = Int(min(run.length, room))
      if inside > 0 { possible.append(run.part(0..<inside)) }
      if inside < run.length {
        odd.append(Part(run: run.part(inside..<Int(run.length)), fate: .unknown, user: nil))
      }
    }
    var batch = CountBatch(references)
    for run in possible { batch.add(BlockRun(begin: run.dataBegin, length: run.length)) }
    batch.flush()
    var distinct: [MappingRun] = []
    for run in possible {
      func isRepeated(_ offset: Int) -> Bool { references[run.dataBegin + UInt64(offset)] > 1 }
      var begin = 0
      for end in 1...Int(run.length) {
        if end < run.length, isRepeated(end) == isRepeated(begin) { continue }
        let part = run.part(begin..<end)
        if isRepeated(begin) {
          odd.append(Part(run: part, fate: .repeated, user: nil))
        } else {
          distinct.append(part)
        }
        begin = end
      }
    }
    return (distinct, odd)
  }
}

extension OldRoots {
  /// The lists that have a mapping tree that starts in `block`, and the device that it belongs to.
  func roots(withTree block: MetadataBlock) -> [(root: MetadataBlock, device: UInt64)] {
    roots.flatMap { root in
      devices(below: root.block).filter { $0.root == block }.map { (root.block, $0.id) }
    }
  }

  /// The trees of today, and of the metadata snapshot, that are later versions of a device's: with
  /// its id and creation, or starting in the same block.
  func liveTrees(
    of id: UInt64, _ details: DeviceDetails?, _ oldTree: MetadataBlock, _ reader: PoolReader
  ) -> [MetadataBlock] {
    let held = reader.heldSuperblock.flatMap { lists.block($0.detailsRoot) }
      .flatMap { lists.details(of: id, below: $0) }
    let live = reader.devices.first { $0.id == id }
    return reader.mappings.roots.filter { $0.owner == id }.map(\.block).filter { block in
      let now = block == live?.root ? live?.details : held
      if block == oldTree { return true }
      guard let details, let now else { return false }
      return details.isSameDevice(as: now)
    }
  }
}
