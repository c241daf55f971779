internal import PersistentData

/// Lists of devices that are no longer in use: which tree each device had once.
///
/// A device keeps its tree until it changes something, and then has a new one. It never comes by a
/// tree that was there already, but for a snapshot on the day it is made. So a list that names
/// both a tree and another tree of some device tells that this device does not have the first one
/// today.
struct OldLists {
  /// By leaf: device id to root.
  private let lists: [[UInt64: UInt32]]
  /// The lists that name a root.
  private let places: [UInt32: [Int]]
  /// Which trees each device had.
  let roots: [UInt64: Set<UInt32>]
  private let details: [UInt64: DeviceDetails]

  /// `devices`: those of today.
  init(_ census: BlockCensus, _ devices: [ThinDevice]) {
    details = devices.reduce(into: [:]) { $0[$1.id] = $1.details }
    lists = census.nodes.all.filter(\.isLeafOfNumbers).compactMap { leaf in
      census.pointers[leaf.block].map { pointers in
        Dictionary(pointers.map { ($0.key, $0.child) }) { first, _ in first }
          .filter { $0.key <= DeviceDetails.deviceIDMaximum }
      }
    }
    var roots: [UInt64: Set<UInt32>] = [:]
    var places: [UInt32: [Int]] = [:]
    for (index, list) in lists.enumerated() {
      for (id, root) in list { roots[id, default: []].insert(root) }
      for root in Set(list.values) { places[root, default: []].append(index) }
    }
    self.roots = roots
    self.places = places
  }

  /// Whether a list tells that `device` does not have the tree at `root`.
  func excludes(_ device: UInt64, from root: UInt32) -> Bool {
    places[root, default: []].contains { place in
      let list = lists[place]
      if let other = list[device] { return other != root }
      return !hasSnapshots(of: root, since: list)
    }
  }

  /// Whether a device that is not on `list` can have come by the tree at `root` as a snapshot of
  /// one that had it, or of a snapshot of that. Each time a device is snapshotted it is noted.
  private func hasSnapshots(of root: UInt32, since list: [UInt64: UInt32]) -> Bool {
    // The list is no older than the youngest device on it.
    let age = list.keys.compactMap { details[$0]?.creationTime }.max() ?? 0
    let isWhole = details.allSatisfy { id, details in
      details.creationTime > age || list[id] != nil
    }
    return !isWhole
      || list.contains { id, other in
        other == root && (details[id]?.snapshottedTime ?? .max) > age
      }
  }

  /// Whether one list has all these devices, each with a tree of its own: since then each has gone
  /// its own way.
  func tellApart(_ devices: [UInt64]) -> Bool {
    lists.contains { list in
      Set(devices.compactMap { list[$0] }).count == devices.count
    }
  }
}
