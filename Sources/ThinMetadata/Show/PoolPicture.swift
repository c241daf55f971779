internal import PersistentData

/// All that a picture of a pool shows, whatever it is drawn with.
///
/// Numbers of blocks are data blocks, unless something else is said. What damage hides is `nil`.
package struct PoolPicture: Sendable {
  /// The volumes that map some blocks, and how many blocks these are.
  package struct Sharers: Sendable {
    /// Places in `volumes`, ascending.
    package let volumes: [Int]
    /// Whether devices that are not told apart, or the metadata snapshot, map them too.
    package let hasOthers: Bool
    package let hasSnapshot: Bool
    package let blocks: UInt64

    /// Volumes that map them, as far as they are told apart.
    package var count: Int { volumes.count + (hasOthers ? 1 : 0) }
  }

  /// How the data device's blocks are used.
  package struct Space: Sendable {
    package let total: UInt64
    /// Mapped by one device alone, by several, only by the metadata snapshot.
    package let exclusive: UInt64?
    package let shared: UInt64?
    package let snapshotOnly: UInt64
    /// All that is mapped.
    package let mapped: UInt64
    /// In use in the space map, but mapped by nothing that can be read.
    package let doubtful: UInt64
    /// Blocks whose stored counts can't be read.
    package let untold: UInt64

    package var free: UInt64 {
      let used = mapped + doubtful + untold
      return total - min(total, used)
    }
  }

  package let pool: PoolHeader
  package let isOfSnapshot: Bool
  package let report: CheckReport
  /// Ascending by id.
  package let volumes: [Volume]
  package let space: Space
  /// Most blocks first.
  package let sharing: [Sharers]
  /// Blocks whose sets of sharers were too many to be kept.
  package let untoldSharing: UInt64
  package let history: History
  package let data: DataMap
  package let metadata: MetadataMap
  /// `nil` of a metadata snapshot: the pool is running, and its past is being overwritten.
  package let states: RootListing?
  package let oldStateCount: Int

  /// `reader`: of the live pool, or of its metadata snapshot alone. `report`: of a check of the
  /// same. `old`: the states that the device holds, if they were looked for.
  package init(
    _ reader: PoolReader, _ report: CheckReport, _ old: OldRoots?, names: VolumeNames, input: String
  ) {
    self.report = report
    isOfSnapshot = report.isOfSnapshot
    let listing = PoolListing(reader, counting: true, names: names)
    pool = listing.pool
    var reader = reader
    let survey = SharingSurvey(&reader)
    let used = UsedBlocks(&reader)
    let counts = SetCounts(survey, used)
    sharing = counts.sharers
    let origins = Origins(reader.devices, survey, counts.sharers)
    untoldSharing = counts.tooMany
    let history = History(survey, time: pool.time, deviceCount: reader.devices.count)
    self.history = history
    let partial = Set(reader.devicesNotWhole)
    volumes = listing.devices.enumerated().map { index, device in
      Volume(
        device, index, survey, reader, history, isWhole: !partial.contains(device.id),
        origin: origins.origin(of: index))
    }
    space = Space(
      listing, total: pool.dataBlockCount, counts,
      hasAll: partial.isEmpty && report.canReadAllMappings)
    data = DataMap(survey, used)
    metadata = MetadataMap(reader, used, old, isOfSnapshot: report.isOfSnapshot)
    states = old.map { RootListing($0, input: input, showsAll: false) }
    oldStateCount = old?.roots.count { $0.standing == .superseded } ?? 0
  }

  package var blockBytes: UInt64 { UInt64(pool.dataBlockSectors) * 512 }
}

extension PoolPicture.Space {
  fileprivate init(_ listing: PoolListing, total: UInt64, _ counts: SetCounts, hasAll: Bool) {
    self.total = total
    mapped = counts.mapped
    snapshotOnly = counts.snapshotOnly
    doubtful = counts.doubtful
    untold = counts.untold
    let exclusive = listing.devices.compactMap { $0.counts?.exclusive }
    let isTold = hasAll && exclusive.count == listing.devices.count
    let sum = exclusive.reduce(0, +)
    self.exclusive = isTold ? sum : nil
    shared = isTold ? counts.mapped - min(counts.mapped, sum + counts.snapshotOnly) : nil
  }
}

// MARK: What can't be told

extension PoolPicture {
  /// The most damaged volumes that are listed one by one.
  private static let maxParts = 8

  /// Whether all mappings can be read, and are counted as they should be, so that what deleting
  /// volumes frees is known exactly.
  package var tellsSharing: Bool {
    space.exclusive != nil && untoldSharing == 0 && report.findings.worst != .error
  }

  /// What damage hides, in sentences.
  package var untold: [String] {
    var lines: [String] = []
    let parts = volumes.filter { !$0.isWhole }
    for part in parts.prefix(PoolPicture.maxParts) {
      let all = part.details.map { " of \($0.mappedBlocks)" } ?? ""
      let left = part.readable.map { "\($0)\(all)" } ?? "not all"
      lines.append("\(part.name): \(left) mappings can be read; only these are shown.")
    }
    if parts.count > PoolPicture.maxParts {
      lines.append(
        "\(parts.count - PoolPicture.maxParts) more volumes have mappings that can't be read.")
    }
    if !report.lostIDs.isEmpty {
      lines.append("The lists of devices are damaged: there may be more than are shown.")
    }
    if space.exclusive == nil {
      lines.append(
        "What a volume has alone, and what deleting some would free, can't be told while mappings "
          + "may be missing.")
    } else if report.findings.worst == .error {
      lines.append(
        "Every mapping can be read. What deleting volumes would free can't be told while the "
          + "metadata is damaged.")
    } else if untoldSharing > 0 {
      lines.append("Volumes share in too many ways to be shown exactly.")
    }
    if space.untold > 0 {
      lines.append("For \(space.untold) data blocks it can't be read whether they are in use.")
    }
    return lines
  }
}
