import PersistentData
import ThinMetadata

/// Which blocks live devices share, and what a kernel makes of their times: read mapping by
/// mapping, without the program's help.
struct SharingModel {
  /// How many virtual blocks of live devices lead to each data block.
  private var mappingCounts: [UInt64: Int] = [:]
  /// The live devices that reach a leaf of a mapping tree, and what the leaf maps.
  private var leaves: [UInt64: (owners: [UInt64], mappings: [Mapping])] = [:]
  private var snapshottedTimes: [UInt64: UInt32] = [:]

  init(_ image: MetadataImage) {
    for (device, root) in image.devices {
      snapshottedTimes[device] = image.details(device).snapshottedTime
      for leaf in image.leaves(below: root) {
        leaves[leaf.block, default: ([], leaf.values.map { Mapping($0) })].owners.append(device)
      }
    }
    for (owners, mappings) in leaves.values {
      for mapping in mappings { mappingCounts[mapping.dataBlock, default: 0] += owners.count }
    }
  }

  /// The live devices that reach a leaf.
  func owners(ofLeaf block: UInt64) -> [UInt64] { leaves[block]?.owners ?? [] }

  func isShared(_ mapping: Mapping) -> Bool { mappingCounts[mapping.dataBlock, default: 0] > 1 }

  /// Whether a kernel would write to a data block in place, were this mapping of a leaf of that
  /// time, though others lead to the block.
  func isDangerous(_ mapping: Mapping, inLeaf block: UInt64, at time: UInt32) -> Bool {
    isShared(mapping)
      && owners(ofLeaf: block).contains { snapshottedTimes[$0, default: .max] <= time }
  }

  /// For each device the latest time of a mapping that it shares.
  var latestSharedTimes: [UInt64: UInt32] {
    var latest: [UInt64: UInt32] = [:]
    for (owners, mappings) in leaves.values {
      guard let time = mappings.filter(isShared).map(\.time).max() else { continue }
      for device in owners { latest[device] = max(latest[device] ?? 0, time) }
    }
    return latest
  }

  /// The devices that a kernel lets write to shared blocks in place, and the lowest snapshotted
  /// time with which it doesn't.
  var lowestSnapshottedTimes: [UInt64: UInt32] {
    latestSharedTimes.filter { $0.value >= snapshottedTimes[$0.key, default: .max] }
      .mapValues { $0 + 1 }
  }
}
