package import PersistentData

/// How a device of an old state differs from the live one.
package struct RootDifference: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// The live state has no such device.
    case gone
    /// The live state has another device under this id.
    case replaced
    /// The live state has the device, with so many mappings.
    case changed(mappings: UInt64)
  }

  package let id: UInt64
  package let kind: Kind
  /// Where its mapping tree starts.
  package let root: MetadataBlock
  /// Mappings that can be read.
  package let mappings: UInt64
  package let missing: MissingNodes
  /// What its details say, when they are known.
  package let mappedBlocks: UInt64?

  package var isWhole: Bool { missing.count == 0 && (mappedBlocks ?? mappings) == mappings }

  /// Whether the old state has something of the device that the live one lacks, as far as numbers
  /// of mappings tell.
  package var isWorthKnowing: Bool {
    guard mappings > 0 else { return false }
    switch kind {
    case .gone, .replaced: return true
    case .changed(let now): return mappings > now
    }
  }
}

/// Compares old states with the live one. What both share is skipped, so that a state costs only
/// its differences and the leaves of its list of devices.
struct RootComparison {
  private let lists: DeviceLists
  private let liveLeaves: Set<MetadataBlock>
  private let liveTrees: [UInt64: MetadataBlock]
  private let liveDetails: MetadataBlock?

  init(_ lists: DeviceLists, live: MetadataBlock, liveDetails: MetadataBlock?) {
    self.lists = lists
    self.liveDetails = liveDetails
    let leaves = lists.lists.leaves(lists.census, below: live)
    liveLeaves = Set(leaves)
    liveTrees = leaves.flatMap(lists.devices).reduce(into: [:]) { $0[$1.id] = $1.root }
  }

  func compare(_ root: OldRoots.Root) -> (differences: [RootDifference], lackedCount: Int) {
    var differences: [RootDifference] = []
    var goneCount = 0
    for leaf in lists.lists.leaves(lists.census, below: root.block)
    where !liveLeaves.contains(leaf) {
      for device in lists.devices(inLeaf: leaf) {
        let now = liveTrees[device.id]
        if now == nil { goneCount += 1 }
        if let difference = difference(device, root, now) { differences.append(difference) }
      }
    }
    let common = root.deviceCount - goneCount
    return (differences, max(0, liveTrees.count - common))
  }

  private func difference(
    _ device: DeviceLists.Device, _ root: OldRoots.Root, _ now: MetadataBlock?
  ) -> RootDifference? {
    if now == device.root { return nil }
    let details = root.detailsRoot.flatMap { lists.details(of: device.id, below: $0) }
    let tree = lists.mappings.trees[device.root]
    var missing = tree?.missing ?? MissingNodes()
    if tree == nil { missing.add(device.root, lists.census) }
    return RootDifference(
      id: device.id, kind: kind(device.id, now, details), root: device.root,
      mappings: tree?.sum.count ?? 0, missing: missing, mappedBlocks: details?.mappedBlocks)
  }

  private func kind(
    _ id: UInt64, _ now: MetadataBlock?, _ details: DeviceDetails?
  ) -> RootDifference.Kind {
    guard let now else { return .gone }
    if let details, let live = liveDetails.flatMap({ lists.details(of: id, below: $0) }),
      !live.isSameDevice(as: details)
    {
      return .replaced
    }
    return .changed(mappings: lists.mappings.trees[now]?.sum.count ?? 0)
  }
}

extension DeviceDetails {
  /// Whether details under one id are of one device: created at the same time and transaction.
  func isSameDevice(as other: DeviceDetails) -> Bool {
    creationTime == other.creationTime && transactionID == other.transactionID
  }
}
