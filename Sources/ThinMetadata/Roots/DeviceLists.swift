internal import PersistentData

/// The trees that a device holds the nodes of: mapping trees, details trees, and the lists of
/// devices (top-level mapping trees) that lead to the former.
struct DeviceLists: Sendable {
  /// A thin device as a list has it.
  struct Device: Sendable {
    let id: UInt64
    let root: MetadataBlock
  }

  /// Mappings of a device, as far as they can be read.
  struct MappingSum: TreeSum {
    var count: UInt64 = 0
    mutating func add(_ other: MappingSum) { count += other.count }
  }

  /// Matches details with a list: the same ids, with as many mappings.
  struct Fingerprint: Hashable, Sendable {
    private(set) var deviceCount = 0
    private(set) var ids = 0
    private(set) var counts = 0
    /// Only the ids.
    var idsAlone: Fingerprint {
      var copy = self
      copy.counts = 0
      return copy
    }

    mutating func add(_ id: UInt64, _ mappedBlocks: UInt64) {
      deviceCount += 1
      ids ^= id.hashValue
      counts ^= [id, mappedBlocks].hashValue
    }

    mutating func add(_ other: Fingerprint) {
      deviceCount += other.deviceCount
      ids ^= other.ids
      counts ^= other.counts
    }
  }

  struct ListSum: TreeSum {
    var fingerprint = Fingerprint()
    var mappings: UInt64 = 0
    /// In the trees of the devices.
    var missing = MissingNodes()

    mutating func add(_ other: ListSum) {
      fingerprint.add(other.fingerprint)
      mappings += other.mappings
      missing.add(other.missing)
    }
  }

  struct DetailsSum: TreeSum {
    var fingerprint = Fingerprint()
    var latestTime: UInt32 = 0
    var latestTransaction: UInt64 = 0

    mutating func add(_ other: DetailsSum) {
      fingerprint.add(other.fingerprint)
      latestTime = max(latestTime, other.latestTime)
      latestTransaction = max(latestTransaction, other.latestTransaction)
    }
  }

  let census: BlockCensus
  let mappings: FoundTrees<MappingSum>
  let lists: FoundTrees<ListSum>
  let details: FoundTrees<DetailsSum>

  init(_ census: BlockCensus) {
    self.census = census
    var mappingLeaves: [MetadataBlock: MappingSum] = [:]
    let leaves = census.nodes.all.filter(\.isLeafOfNumbers)
    for leaf in leaves {
      // Two of a device's mappings can't both lead to data block 0.
      if census.pointers[leaf.block] == nil || leaf.entryCount == 1 {
        mappingLeaves[leaf.block] = MappingSum(count: UInt64(leaf.entryCount))
      }
    }
    let mappings = FoundTrees(census, leaves: mappingLeaves)
    self.mappings = mappings
    var listLeaves: [MetadataBlock: ListSum] = [:]
    for leaf in leaves {
      listLeaves[leaf.block] = DeviceLists.sum(census, mappings, list: leaf.block)
    }
    lists = FoundTrees(census, leaves: listLeaves)
    details = FoundTrees(
      census,
      leaves: census.details.mapValues { entries in
        entries.reduce(into: DetailsSum()) { sum, entry in
          sum.fingerprint.add(entry.id, entry.details.mappedBlocks)
          sum.latestTime = max(
            sum.latestTime, entry.details.creationTime, entry.details.snapshottedTime)
          sum.latestTransaction = max(sum.latestTransaction, entry.details.transactionID)
        }
      })
  }

  /// `nil` when the leaf isn't a list of devices.
  private static func sum(
    _ census: BlockCensus, _ mappings: FoundTrees<MappingSum>, list block: MetadataBlock
  ) -> ListSum? {
    guard let pointers = census.pointers[block],
      pointers.allSatisfy({ $0.key <= DeviceDetails.deviceIDMaximum })
    else { return nil }
    // A single entry can also be the mapping of data block 0.
    if pointers.count == 1, mappings.tree(pointers[0]) == nil { return nil }
    var sum = ListSum()
    for pointer in pointers {
      let tree = mappings.tree(pointer)
      sum.fingerprint.add(pointer.key, tree?.sum.count ?? 0)
      sum.mappings += tree?.sum.count ?? 0
      if let tree {
        sum.missing.add(tree.missing)
      } else {
        sum.missing.add(pointer.child, census)
      }
    }
    return sum
  }

  /// The devices in a leaf of a list.
  func devices(inLeaf leaf: MetadataBlock) -> [Device] {
    census.pointers[leaf, default: []].compactMap { pointer in
      pointer.child.map { Device(id: pointer.key, root: $0) }
    }
  }

  /// The details of a device below a root of details.
  func details(of id: UInt64, below root: MetadataBlock) -> DeviceDetails? {
    guard let leaf = details.leaf(census, below: root, for: id) else { return nil }
    return census.details[leaf]?.first { $0.id == id }?.details
  }

  /// The mapping tree of a device below a root of a list.
  func device(_ id: UInt64, below root: MetadataBlock) -> Device? {
    guard let leaf = lists.leaf(census, below: root, for: id) else { return nil }
    return devices(inLeaf: leaf).first { $0.id == id }
  }
}
