internal import PersistentData

/// A state that a pool was in after some commit, as far as the device still holds it: one index
/// block of the metadata space map, the counts below it, and the roots that these leave open.
///
/// The counts say how many references each block must have. Those that no node accounts for are
/// the superblock's: the roots.
struct PoolState: Sendable {
  struct Roots: Sendable {
    let mapping: UInt32
    let details: UInt32
    let dataIndex: UInt32?
  }

  let index: UInt32
  /// Blocks with a count above 0.
  let allocated: BlockSet
  /// Whether every allocated block holds what metadata could be.
  let isWhole: Bool
  /// `nil` when damage hides them.
  private(set) var roots: Roots?
  private let openRoots: OpenRoots

  /// `nil` when something of this state has been overwritten by a later one: then nodes refer to
  /// blocks that are counted less often than that. Damage only takes references away.
  init?(_ census: BlockCensus, index: UInt32) {
    let stored = StateCounts(
      below: MetadataBlock(index), in: census.file, blockCount: census.blockCount
    ) { census.isBitmap($0.number) }
    let (counts, bitmaps) = (stored.counts, stored.bitmaps)
    if bitmaps.isEmpty || counts[0] == 0 { return nil }
    var open = counts.map(Int.init)
    var lost: Set<UInt32> = []
    // The superblock refers to the index, and stands for itself.
    open[0] -= 1
    open[Int(index)] -= 1
    for bitmap in bitmaps { open[bitmap.index] -= 1 }
    for block in counts.indices.dropFirst() where counts[block] > 0 {
      guard census.isMetadata(UInt32(block)) else {
        lost.insert(UInt32(block))
        continue
      }
      let references = census.references(of: UInt32(block)) { counts[Int($0)] > 0 }
      for pointer in references { open[Int(pointer)] -= 1 }
    }
    guard var left = PoolState.openRoots(census, open, counts, lost) else { return nil }
    if lost.isEmpty, !left.areThoseOfASuperblock { return nil }
    self.index = index
    allocated = BlockSet(counts)
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
    _ census: BlockCensus, _ open: [Int], _ counts: [UInt8], _ lost: Set<UInt32>
  ) -> OpenRoots? {
    var roots = OpenRoots()
    for (block, missing) in open.enumerated() where missing != 0 {
      if missing < 0 {
        // A count of 3 may be any number above.
        if counts[block] == 3 { continue }
        return nil
      }
      if lost.contains(UInt32(block)) { continue }
      if census.superblocks[UInt32(block)] != nil {
        roots.heldCount += missing
      } else if let size = census.leafValueSize(UInt32(block)) {
        roots.bySize[size, default: []] += Array(repeating: UInt32(block), count: missing)
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
  var bySize: [Int: [UInt32]] = [:]
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
  mutating func keepTopLevel(_ census: BlockCensus, _ lost: Set<UInt32>) {
    let mappings = bySize[Mapping.valueSize, default: []]
    if mappings.count == 1 { return }
    let whole = mappings.filter { census.isTopLevel($0) }
    bySize[Mapping.valueSize] =
      whole.isEmpty ? mappings.filter { census.isTopLevel($0, exceptFor: lost) } : whole
  }

  /// The roots, when there is no doubt which they are. `pick`: the one of several blocks.
  func choice(_ pick: ([UInt32]) -> UInt32?) -> PoolState.Roots? {
    guard let mapping = pick(bySize[Mapping.valueSize, default: []]),
      let details = pick(bySize[DeviceDetails.Layout.size, default: []])
    else { return nil }
    let indices = bySize[IndexEntry.Layout.size, default: []]
    return PoolState.Roots(
      mapping: mapping, details: details, dataIndex: indices.count == 1 ? indices[0] : nil)
  }

  private func count(_ size: Int) -> Int { bySize[size]?.count ?? 0 }
}

/// A set of block numbers, a bit each.
struct BlockSet: Sendable {
  private var words: [UInt64]

  init(_ counts: [UInt8]) {
    words = Array(repeating: 0, count: (counts.count + 63) / 64)
    for (block, count) in counts.enumerated() where count > 0 {
      words[block / 64] |= 1 << UInt64(block % 64)
    }
  }

  /// Any number may be asked for; what lies beyond the device is no member.
  func contains(_ block: UInt32) -> Bool {
    let word = Int(block / 64)
    return word < words.count && words[word] >> UInt64(block % 64) & 1 == 1
  }

  /// The members that `other` lacks, ascending.
  func subtracting(_ other: BlockSet) -> [UInt32] {
    var members: [UInt32] = []
    for (index, word) in words.enumerated() {
      var rest = word & ~other.words[index]
      while rest != 0 {
        members.append(UInt32(index * 64 + rest.trailingZeroBitCount))
        rest &= rest - 1
      }
    }
    return members
  }

  /// How many blocks from `first` to `last` are not members.
  func freeCount(from first: UInt32, through last: UInt32) -> Int {
    first > last ? 0 : (first...last).count { !contains($0) }
  }

  /// The first block from `start` on that is no member.
  func firstFree(from start: UInt32) -> UInt32? {
    (start..<UInt32(words.count * 64)).first { !contains($0) }
  }
}
