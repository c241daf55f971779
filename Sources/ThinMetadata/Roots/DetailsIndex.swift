internal import PersistentData

/// Roots of details trees, indexed by their contents.
struct DetailsIndex {
  /// Details that can belong to a list.
  struct Fitting {
    /// Ascending.
    fileprivate(set) var blocks: [MetadataBlock] = []
    /// The lowest of the latest time in each.
    fileprivate(set) var timeFloor: UInt32 = 0

    /// The most that are looked at closely.
    private static let maxTried = 4

    /// The details nearest to `block`, as a commit writes both together; of two equally near, the
    /// later. `isPossible`: a check beyond the ids; if none passes, the nearest is taken.
    func nearest(to block: MetadataBlock, _ isPossible: (MetadataBlock) -> Bool) -> MetadataBlock? {
      var high = blocks.firstIndex(from: block)
      var low = high - 1
      var nearest: MetadataBlock?
      for _ in 0..<Fitting.maxTried {
        let before = low >= 0 ? blocks[low] : nil
        let after = high < blocks.count ? blocks[high] : nil
        let takesAfter = after.map { after in
          before.map { after.number - block.number <= block.number - $0.number } ?? true
        }
        guard let next = takesAfter == true ? after : before else { break }
        if nearest == nil { nearest = next }
        if isPossible(next) { return next }
        if takesAfter == true { high += 1 } else { low -= 1 }
      }
      return nearest
    }
  }

  private var exact: [DeviceLists.Fingerprint: Fitting] = [:]
  private var byIDs: [DeviceLists.Fingerprint: Fitting] = [:]

  init(_ lists: DeviceLists) {
    for (block, tree) in lists.details.trees.sorted(by: { $0.key < $1.key })
    where tree.missing.count == 0 && !lists.details.children.contains(block) {
      let fingerprint = tree.sum.fingerprint
      DetailsIndex.add(block, tree.sum, to: &exact[fingerprint, default: Fitting()])
      DetailsIndex.add(block, tree.sum, to: &byIDs[fingerprint.idsAlone, default: Fitting()])
    }
  }

  private static func add(
    _ block: MetadataBlock, _ sum: DeviceLists.DetailsSum, to fitting: inout Fitting
  ) {
    fitting.timeFloor =
      fitting.blocks.isEmpty ? sum.latestTime : min(fitting.timeFloor, sum.latestTime)
    fitting.blocks.append(block)
  }

  /// Those with the same devices and numbers of mappings; where there are none, or mappings are
  /// missing, those with the same devices.
  func fitting(_ fingerprint: DeviceLists.Fingerprint, isWhole: Bool) -> Fitting {
    if isWhole, let same = exact[fingerprint] { return same }
    return byIDs[fingerprint.idsAlone] ?? Fitting()
  }
}

extension DeviceLists {
  /// Whether details can belong to a list with the same ids: where a device's tree is whole, they
  /// have to give its number of mappings, and elsewhere no fewer than are left.
  func isPossible(details root: MetadataBlock, for list: MetadataBlock) -> Bool {
    var mapped: [UInt64: UInt64] = [:]
    for leaf in details.leaves(census, below: root) {
      for entry in census.details[leaf, default: []] {
        mapped[entry.id] = entry.details.mappedBlocks
      }
    }
    return lists.leaves(census, below: list).allSatisfy { leaf in
      devices(inLeaf: leaf).allSatisfy { device in
        guard let tree = mappings.trees[device.root], let wanted = mapped[device.id]
        else { return true }
        return tree.missing.count == 0 ? tree.sum.count == wanted : tree.sum.count <= wanted
      }
    }
  }
}
