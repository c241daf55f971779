internal import PersistentData

/// A state that a pool was in after some commit, as far as the device still holds it: one index
/// block of the metadata space map, the counts below it, and the roots inferred from them.
///
/// The counts say how many references each block must have. Those that no node accounts for are
/// the superblock's: the roots.
struct PoolState: Sendable {
  struct Roots: Sendable {
    let mapping: MetadataBlock
    let details: MetadataBlock
    let dataIndex: MetadataBlock?
  }

  let index: MetadataBlock
  /// Blocks with a count above 0.
  let allocated: AllocatedBlocks
  /// Whether every allocated block holds something that can be metadata.
  let isWhole: Bool
  /// `nil` when damage hides them.
  private(set) var roots: Roots?
  private let openRoots: OpenRoots

  /// `nil` when a later state has overwritten part of this one: then nodes refer to blocks more
  /// often than these are counted. Damage only removes references.
  init?(_ census: BlockCensus, index: MetadataBlock) {
    let stored = StateCounts(
      below: index, in: census.file, blockCount: census.blockCount, isBitmap: census.isBitmap)
    let (counts, bitmaps) = (stored.counts, stored.bitmaps)
    if bitmaps.isEmpty || counts[0] == 0 { return nil }
    var open = counts.map(Int.init)
    var lost: Set<MetadataBlock> = []
    // The superblock refers to the index, and is counted once itself.
    open[0] -= 1
    open[index.index] -= 1
    for bitmap in bitmaps { open[bitmap.index] -= 1 }
    for block in counts.indices.dropFirst() where counts[block] > 0 {
      guard census.isMetadata(MetadataBlock(index: block)) else {
        lost.insert(MetadataBlock(index: block))
        continue
      }
      let references = census.references(of: MetadataBlock(index: block)) { counts[$0.index] > 0 }
      for child in references { open[child.index] -= 1 }
    }
    guard var left = PoolState.openRoots(census, open, counts, lost) else { return nil }
    if lost.isEmpty, !left.areThoseOfASuperblock { return nil }
    self.index = index
    allocated = AllocatedBlocks(counts)
    isWhole = lost.isEmpty
    left.keepTopLevel(census, lost)
    openRoots = left
    roots = left.choice { $0.count == 1 ? $0[0] : nil }
  }

  /// Tells the live roots from those of a metadata snapshot whose copy of the superblock is lost.
  /// The snapshot has kept its roots since it was taken, so more states have them; the live ones
  /// are younger.
  mutating func tellHeldRoots(by others: [PoolState]) {
    guard roots == nil, !isWhole, openRoots.haveTwoOwners else { return }
    roots = openRoots.choice { blocks in
      let ages = Set(blocks).map { block in
        (age: others.count { $0.allocated.contains(block) }, block: block)
      }.sorted { $0 < $1 }
      return ages.count == 1 || ages[0].age < ages[1].age ? ages[0].block : nil
    }
  }

  /// References that nothing accounts for, by the size of the values below; `nil` when more were
  /// found than are counted.
  private static func openRoots(
    _ census: BlockCensus, _ open: [Int], _ counts: [UInt8], _ lost: Set<MetadataBlock>
  ) -> OpenRoots? {
    var roots = OpenRoots()
    for (block, missing) in open.enumerated() where missing != 0 {
      if missing < 0 {
        // A stored count of 3 means 3 or more.
        if counts[block] == 3 { continue }
        return nil
      }
      if lost.contains(MetadataBlock(index: block)) { continue }
      if census.superblocks[MetadataBlock(index: block)] != nil {
        roots.heldCount += missing
      } else if let size = census.leafValueSize(MetadataBlock(index: block)) {
        roots.bySize[size, default: []] += Array(
          repeating: MetadataBlock(index: block), count: missing)
      } else {
        roots.unexplained += missing
      }
    }
    return roots
  }
}

/// Blocks with more references counted than found.
private struct OpenRoots {
  /// By the size of the values in the leaves, each block as often as references are missing.
  var bySize: [Int: [MetadataBlock]] = [:]
  var heldCount = 0
  /// Blocks that can't be roots, and so are children of lost blocks.
  var unexplained = 0

  /// Exactly what a superblock refers to: a root of the devices' tree, one of the details, one of
  /// the data space map's index, two of large counts, and the metadata snapshot if there is one.
  var areThoseOfASuperblock: Bool {
    unexplained == 0 && heldCount <= 1 && count(Mapping.valueSize) == 1
      && count(DeviceDetails.Layout.size) == 1 && count(IndexEntry.Layout.size) == 1
      && count(4) == 2
  }

  /// Whether everything points to a live pool and a metadata snapshot.
  var haveTwoOwners: Bool {
    count(Mapping.valueSize) == 2 && count(DeviceDetails.Layout.size) == 2
  }

  /// Leaves out trees of devices whose entry is lost.
  mutating func keepTopLevel(_ census: BlockCensus, _ lost: Set<MetadataBlock>) {
    let mappings = bySize[Mapping.valueSize, default: []]
    if mappings.count == 1 { return }
    let whole = mappings.filter { census.isTopLevel($0) }
    bySize[Mapping.valueSize] =
      whole.isEmpty ? mappings.filter { census.isTopLevel($0, exceptFor: lost) } : whole
  }

  /// The roots, if there is no doubt which they are. `pick`: chooses one of several blocks.
  func choice(_ pick: ([MetadataBlock]) -> MetadataBlock?) -> PoolState.Roots? {
    guard let mapping = pick(bySize[Mapping.valueSize, default: []]),
      let details = pick(bySize[DeviceDetails.Layout.size, default: []])
    else { return nil }
    let indices = bySize[IndexEntry.Layout.size, default: []]
    return PoolState.Roots(
      mapping: mapping, details: details, dataIndex: indices.count == 1 ? indices[0] : nil)
  }

  private func count(_ size: Int) -> Int { bySize[size]?.count ?? 0 }
}
