package import PersistentData

/// How many metadata blocks a pool takes at least, counted without writing any; and whether its
/// events make sense at all, so that nothing is overwritten for a pool that doesn't.
///
/// It leaves out the tree of large counts, leaves that can't stay shared and the internal nodes
/// over shared leaves, so the true size is this or more.
package struct SizeEstimate: EntryEvents {
  package typealias Failure = WriteError

  private var rules = PoolRules()
  private var dataBitmaps: UInt64 = 0
  private var entryCount: UInt64 = 0
  private var deviceCount: UInt64 = 0
  private var nodeCount: UInt64 = 0 {
    didSet { findOrdinaryEntries() }
  }
  /// Blocks beyond which the caller considers a pool large.
  private let largeBlocks: UInt64
  /// Whether what has come takes more than that, whatever the device.
  private(set) var isLarge = false
  /// As long as the current device or shared run has no more entries than this, the pool is not
  /// large. Cached, as it is needed for each of up to 10^9 runs.
  private var ordinaryEntries: UInt64 = 0
  /// Whether the device has leaves that others have as well.
  private var sharesLeaves = false

  package init(largeFrom blocks: UInt64 = MetadataBlock.maximumCount) {
    largeBlocks = min(blocks, MetadataBlock.maximumCount)
  }

  package mutating func begin(_ pool: PoolHeader) throws(WriteError) {
    try rules.begin(pool)
    dataBitmaps = Bitmap.count(for: pool.dataBlockCount)
    findOrdinaryEntries()
    try noticeSize()
  }

  package mutating func beginShared(_ name: String) throws(WriteError) {
    try rules.beginShared(name)
  }

  package mutating func endShared() {
    rules.endShared()
    nodeCount += TreeSize.leaves(for: entryCount, valueSize: Mapping.valueSize)
    entryCount = 0
  }

  package mutating func beginDevice(_ device: DeviceHeader) throws(WriteError) {
    try rules.beginDevice(device)
    deviceCount += 1
  }

  package mutating func endDevice() {
    rules.endDevice()
    nodeCount +=
      sharesLeaves
      ? TreeSize.leaves(for: entryCount, valueSize: Mapping.valueSize)
      : TreeSize.nodes(for: entryCount, valueSize: Mapping.valueSize)
    entryCount = 0
    sharesLeaves = false
  }

  package mutating func run(_ run: MappingRun) throws(WriteError) {
    try rules.run(run)
    entryCount += run.length
    if entryCount > ordinaryEntries { try noticeSize() }
  }

  package mutating func entries(
    _ keys: Span<UInt64>, _ values: Span<UInt64>
  ) throws(WriteError) {
    try rules.entries(keys, highest: Mapping.bounds(of: values).dataBlock)
    entryCount += UInt64(keys.count)
    if entryCount > ordinaryEntries { try noticeSize() }
  }

  package mutating func reference(_ name: String) throws(WriteError) {
    try rules.reference(name)
    sharesLeaves = true
  }

  package mutating func end() throws(WriteError) { try rules.end() }

  private mutating func findOrdinaryEntries() {
    let taken = nodeCount + dataBitmaps
    // A block that is not full costs nothing yet.
    ordinaryEntries =
      taken > largeBlocks ? 0 : (largeBlocks - taken + 1) * SizeEstimate.mappingsPerLeaf - 1
  }

  /// Notices that the pool is large, and stops as soon as no metadata device can hold what has
  /// come: large numbers are quickly written.
  private mutating func noticeSize() throws(WriteError) {
    let least = nodeCount + entryCount / SizeEstimate.mappingsPerLeaf + dataBitmaps
    isLarge = least > largeBlocks
    guard least > MetadataBlock.maximumCount else { return }
    throw .tooLarge(needed: least)
  }

  /// Blocks needed on a device of `blockCount` blocks, which bitmaps have to count.
  package func neededBlocks(on blockCount: UInt64) -> UInt64 {
    let metadataBitmaps = Bitmap.count(for: min(blockCount, MetadataBlock.maximumCount))
    // If devices don't ascend, some leaves are written twice.
    let lists =
      rules.isAscending
      ? 0
      : TreeSize.leaves(for: deviceCount, valueSize: 8)
        + TreeSize.leaves(for: deviceCount, valueSize: DeviceDetails.Layout.size)
    // The superblock, the metadata index, and a root for each tree of large counts.
    return 4 + nodeCount + metadataBitmaps + dataBitmaps + lists
      + TreeSize.nodes(for: dataBitmaps, valueSize: IndexEntry.Layout.size)
      + TreeSize.nodes(for: deviceCount, valueSize: 8)
      + TreeSize.nodes(for: deviceCount, valueSize: DeviceDetails.Layout.size)
  }

  private static let mappingsPerLeaf = UInt64(
    BTreeNode.maximumEntries(valueSize: Mapping.valueSize))
}
