internal import PersistentData

/// A state that a pool was in after some commit, as far as the device still holds it: one index
/// block of the metadata space map, the counts below it, and the roots that these leave open.
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
  /// Whether every allocated block holds what metadata could be.
  let isWhole: Bool
  /// `nil` when damage hides them.
  private(set) var roots: Roots?
  private let openRoots: OpenRoots

  /// `nil` when something of this state has been overwritten by a later one: then nodes refer to
  /// blocks that are counted less often than that. Damage only takes references away.
  init?(_ census: BlockCensus, index: MetadataBlock) {
    let stored = StateCounts(
      below: index, in: census.file, blockCount: census.blockCount, isBitmap: census.isBitmap)
    let (counts, bitmaps) = (stored.counts, stored.bitmaps)
    if bitmaps.isEmpty || counts[0] == 0 { return nil }
    var open = counts.map(Int.init)
    var lost: Set<MetadataBlock> = []
    // The superblock refers to the index, and stands for itself.
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

  /// When the metadata snapshot's copy of the superblock is lost too, its roots are open beside
  /// those of the live pool. It holds them since it was taken, so other states have them as well;
  /// the live ones are the younger.
  mutating func tellHeldRoots(by others: [PoolState]) {
    guard roots == nil, !isWhole, openRoots.haveTwoOwners else { return }
    roots = openRoots.choice { blocks in
      let ages = Set(blocks).map { block in
        (age: others.count { $0.allocated.contains(block) }, block: block)
      }.sorted { $0 < $1 }
      return ages.count == 1 || ages[0].age < ages[1].age ? ages[0].block : nil
    }
  }

  /// What is left open, by the size of the values below; `nil` when more was found than is
  /// counted.
  private static func openRoots(
    _ census: BlockCensus, _ open: [Int], _ counts: [UInt8], _ lost: Set<MetadataBlock>
  ) -> OpenRoots? {
    var roots = OpenRoots()
    for (block, missing) in open.enumerated() where missing != 0 {
      if missing < 0 {
        // A count of 3 may be any number above.
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
  /// Blocks that can't be roots: a lost block's children, then.
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

  /// Leaves out trees of devices, whose entry is lost.
  mutating func keepTopLevel(_ census: BlockCensus, _ lost: Set<MetadataBlock>) {
    let mappings = bySize[Mapping.valueSize, default: []]
    if mappings.count == 1 { return }
    let whole = mappings.filter { census.isTopLevel($0) }
    bySize[Mapping.valueSize] =
      whole.isEmpty ? mappings.filter { census.isTopLevel($0, exceptFor: lost) } : whole
  }

  /// The roots, when there is no doubt which they are. `pick`: the one of several blocks.
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
