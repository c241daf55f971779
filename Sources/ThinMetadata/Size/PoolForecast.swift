internal import Glibc
internal import PersistentData

/// How much metadata a pool will need when it is full.
package struct PoolForecast: Sendable {
  /// Blocks of the data device.
  package let dataBlockCount: UInt64
  /// Thin devices, snapshots among them.
  package let deviceCount: UInt64
  /// Snapshots that are kept of each device.
  package let snapshots: UInt64
  /// How many of a million blocks change from snapshot to snapshot, anywhere.
  package let changedPerMillion: UInt64

  package init(
    dataBlockCount: UInt64, deviceCount: UInt64, snapshots: UInt64 = 0,
    changedPerMillion: UInt64 = 0
  ) {
    self.dataBlockCount = dataBlockCount
    self.deviceCount = deviceCount
    self.snapshots = snapshots
    self.changedPerMillion = changedPerMillion
  }

  /// Blocks of 4 KiB; `isLimited`: more would be of use, but kernels use no more.
  package var needed: (blocks: UInt64, isLimited: Bool) {
    let blocks = max(plainCount, snapshots == 0 ? 0 : divergedCount)
    let maximum = MetadataBlock.maximumCount
    return (min(blocks, maximum), blocks > maximum)
  }

  /// What version 1.x says: leaves that are half full, and a block for each device. It ignores that
  /// snapshots share less and less.
  private var plainCount: UInt64 {
    let half: UInt64 = 126
    let leaves = dataBlockCount / half + (dataBlockCount % half == 0 ? 0 : 1)
    let (sum, overflow) = (leaves + 1).addingReportingOverflow(deviceCount)
    return overflow ? .max : sum
  }

  /// Where blocks change at random, each change copies a whole leaf, so a snapshot has few leaves
  /// left that it shares.
  private var divergedCount: UInt64 {
    let perLeaf = Double(BTreeNode.maximumEntries(valueSize: Mapping.valueSize))
    let change = Double(changedPerMillion) / 1_000_000
    let snapshots = Double(snapshots)
    let copied = 1 - pow(1 - change, perLeaf)
    let originLeaves = Double(dataBlockCount) / perLeaf / (1 + snapshots * change)
    let leaves = originLeaves * (1 + snapshots * copied)
    let bitmaps = Double(Bitmap.count(for: dataBlockCount)) + leaves / Double(Bitmap.entryCount)
    let sum =
      leaves * PoolForecast.beyondLeaves + bitmaps + Double(deviceCount) + PoolForecast.fixedCount
    return sum < Double(UInt64.max) ? UInt64(sum.rounded(.up)) : .max
  }

  /// Internal nodes, the counts of blocks that many leaves name, and leaves that are not full; with
  /// some to spare.
  private static let beyondLeaves = 1.25
  /// The superblock, the index, lists of devices, bitmaps, and what a transaction needs.
  private static let fixedCount = 32.0
}
