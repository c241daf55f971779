internal import PersistentData

/// The two trees of devices: one with the root of each device's mapping tree, one with its details.
/// Those of the live pool and of its metadata snapshot are read together.
struct DeviceTrees: Sendable {
  /// Where one pool begins, the live one or the metadata snapshot.
  struct Roots: Sendable {
    let topLevel: UInt64
    let details: UInt64
  }

  /// What both trees list of one pool.
  struct Listing: Sendable {
    /// Ascending by id.
    let devices: [ThinDevice]
    /// Device ids whose entry in the tree can't be read.
    let lostTopLevel: [ClosedRange<UInt64>]
    let lostDetails: [ClosedRange<UInt64>]

    var isWhole: Bool { lostTopLevel.isEmpty && lostDetails.isEmpty }
  }

  let topLevel: LeafContents<UInt64>
  let details: LeafContents<DeviceDetails>
  /// Of each pool, in the order of `roots`.
  let listings: [Listing]
  private let roots: [Roots]

  /// `roots`: of one pool, or of the live one and its metadata snapshot, in that order.
  init(
    _ roots: [Roots], in file: BlockFile, usage: inout BlockUsage, findings: inout Findings
  ) {
    self.roots = roots
    let topLevel = LeafContents(
      PoolReader.Structure.topLevel, roots: roots.map(\.topLevel), in: file, usage: &usage,
      findings: &findings
    ) { leaf, index in leaf.value(index) }
    let details = LeafContents(
      PoolReader.Structure.details, roots: roots.map(\.details), in: file, usage: &usage,
      findings: &findings
    ) { leaf, index in DeviceDetails(leaf, index) }
    self.topLevel = topLevel
    self.details = details
    listings = roots.map { [blockCount = usage.blockCount] roots in
      let (entries, lostTopLevel) = topLevel.entries(below: roots.topLevel)
      let (detailEntries, lostDetails) = details.entries(below: roots.details)
      return Listing(
        devices: DeviceTrees.join(entries, detailEntries, blockCount: blockCount),
        lostTopLevel: lostTopLevel, lostDetails: lostDetails)
    }
  }

  /// Whether no device is hidden by damage.
  var isWhole: Bool { listings.allSatisfy(\.isWhole) }

  /// Whether one of the trees leads to a block that has another use, or is sound as something else.
  var isLedAstray: Bool {
    !topLevel.crossLinked.isEmpty || !details.crossLinked.isEmpty || topLevel.isLedAstray
      || details.isLedAstray
  }

  /// The roots of all mapping trees, each reference counted; a leaf of the top-level tree holds its
  /// references once, however many trees share it.
  ///
  /// `trustingTimes`: whether mappings that are no older than a device's snapshotted time are its
  /// own.
  func mappingRoots(
    trustingTimes: Bool, usage: inout BlockUsage, findings: inout Findings
  ) -> [TreeRoot] {
    guard let own = roots.first, let listing = listings.first else { return [] }
    let ids = trustingTimes ? listing.devices.map(\.id) : []
    var mappingRoots: [TreeRoot] = []
    for (id, target, isOwn) in topLevel.distinctEntries(telling: own.topLevel) {
      let block = usage.follow(
        target, from: Site(PoolReader.Structure.topLevel.label, device: id), &findings)
      guard let block else { continue }
      let index = ids.firstIndex(from: id)
      let isListed = index < ids.count && ids[index] == id
      let time = isListed ? listing.devices[index].details?.snapshottedTime : nil
      mappingRoots.append(TreeRoot(block, owner: id, reach: isOwn ? .tree(time ?? .max) : .none))
    }
    return mappingRoots
  }

  /// The devices of both trees, ascending by id.
  private static func join(
    _ roots: [(UInt64, UInt64)], _ details: [(UInt64, DeviceDetails)], blockCount: UInt64
  ) -> [ThinDevice] {
    var devices: [ThinDevice] = []
    var next = details[...]
    for (id, target) in roots {
      while let first = next.first, first.0 < id {
        devices.append(ThinDevice(id: first.0, root: nil, details: first.1))
        next.removeFirst()
      }
      var device = ThinDevice(id: id, root: MetadataBlock(pointer: target, count: blockCount))
      if let first = next.first, first.0 == id {
        device.details = first.1
        next.removeFirst()
      }
      devices.append(device)
    }
    devices += next.map { ThinDevice(id: $0.0, root: nil, details: $0.1) }
    return devices
  }
}
