internal import PersistentData

/// Lists of devices that are no longer in use: which tree each device had once.
///
/// A device keeps its tree until it is changed, and then gets a new one. It never gets a tree that
/// existed before, except as a new snapshot. So a list that names a tree, and another tree for some
/// device, tells that this device does not have the first one today.
struct OldLists {
  private struct List {
    /// By device id.
    let roots: [UInt64: MetadataBlock]
    /// The trees that a device missing from the list can have got since, as a snapshot of one that
    /// had it, or of a snapshot of that; `nil` where it can be any tree.
    let snapshotted: Set<MetadataBlock>?

    /// `creationTimes`: of all devices of today, ascending.
    init(
      _ roots: [UInt64: MetadataBlock], _ details: [UInt64: DeviceDetails], creationTimes: [UInt64]
    ) {
      self.roots = roots
      let known = roots.keys.compactMap { details[$0]?.creationTime }
      // The list is no older than the youngest device on it.
      let age = known.max() ?? 0
      // If it lacks a device that old, that device's tree is unknown. Otherwise all others were
      // created later, and each snapshot of a device updates its snapshotted time.
      let isWhole = known.count == creationTimes.firstIndex(from: UInt64(age) + 1)
      snapshotted =
        isWhole
        ? Set(roots.filter { (details[$0.key]?.snapshottedTime ?? .max) > age }.values) : nil
    }
  }

  /// By leaf.
  private let lists: [List]
  /// By root: indices of the lists that name it.
  private let places: [MetadataBlock: [Int]]
  /// Which trees each device had.
  let roots: [UInt64: Set<MetadataBlock>]

  /// `devices`: those of today.
  init(_ census: BlockCensus, _ devices: [ThinDevice]) {
    let details = devices.reduce(into: [:]) { $0[$1.id] = $1.details }
    let creationTimes = details.values.map { UInt64($0.creationTime) }.sorted()
    lists = census.nodes.all.filter(\.isLeafOfNumbers).compactMap { leaf in
      census.pointers[leaf.block].map { pointers in
        let roots = Dictionary(
          pointers.compactMap { pointer in pointer.child.map { (pointer.key, $0) } }
        ) { first, _ in first }
        .filter { $0.key <= DeviceDetails.deviceIDMaximum }
        return List(roots, details, creationTimes: creationTimes)
      }
    }
    var roots: [UInt64: Set<MetadataBlock>] = [:]
    var places: [MetadataBlock: [Int]] = [:]
    for (index, list) in lists.enumerated() {
      for (id, root) in list.roots { roots[id, default: []].insert(root) }
      for root in Set(list.roots.values) { places[root, default: []].append(index) }
    }
    self.roots = roots
    self.places = places
  }

  /// Whether a list tells that `device` does not have the tree at `root`.
  func excludes(_ device: UInt64, from root: MetadataBlock) -> Bool {
    places[root, default: []].contains { place in
      let list = lists[place]
      if let other = list.roots[device] { return other != root }
      return list.snapshotted?.contains(root) == false
    }
  }

  /// Whether one list has all these devices, each with a tree of its own: since then their trees
  /// differ.
  func tellApart(_ devices: [UInt64]) -> Bool {
    lists.contains { list in
      Set(devices.compactMap { list.roots[$0] }).count == devices.count
    }
  }
}
