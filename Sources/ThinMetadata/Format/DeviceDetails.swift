package import PersistentData

/// What the details tree stores for a thin device.
///
/// Source: Linux, drivers/md/dm-thin-metadata.c, `struct disk_device_details`.
package struct DeviceDetails: Hashable, Sendable {
  package enum Layout {
    package static let mappedBlocks = Field<UInt64>(at: 0)
    package static let transactionID = Field<UInt64>(at: 8)  // the pool's, when it was created
    package static let creationTime = Field<UInt32>(at: 16)
    package static let snapshottedTime = Field<UInt32>(at: 20)  // of the last snapshot
    package static let size = 24
  }

  /// Device ids have 24 bits.
  package static let deviceIDMaximum: UInt64 = (1 << 24) - 1

  package var mappedBlocks: UInt64
  package var transactionID: UInt64
  package var creationTime: UInt32
  package var snapshottedTime: UInt32

  package init(
    mappedBlocks: UInt64, transactionID: UInt64, creationTime: UInt32, snapshottedTime: UInt32
  ) {
    self.mappedBlocks = mappedBlocks
    self.transactionID = transactionID
    self.creationTime = creationTime
    self.snapshottedTime = snapshottedTime
  }

  /// Decodes entry `index` of a details leaf.
  init(_ leaf: BTreeNode, _ index: Int) {
    mappedBlocks = leaf.value(index, Layout.mappedBlocks)
    transactionID = leaf.value(index, Layout.transactionID)
    creationTime = leaf.value(index, Layout.creationTime)
    snapshottedTime = leaf.value(index, Layout.snapshottedTime)
  }

  package func encode(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes[Layout.mappedBlocks.shifted(by: offset)] = mappedBlocks
    bytes[Layout.transactionID.shifted(by: offset)] = transactionID
    bytes[Layout.creationTime.shifted(by: offset)] = creationTime
    bytes[Layout.snapshottedTime.shifted(by: offset)] = snapshottedTime
  }
}
