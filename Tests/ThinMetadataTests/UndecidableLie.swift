import PersistentData
import ThinMetadata

/// Lies that nothing else on one image contradicts, so that no repair can tell them from the truth.
enum UndecidableLie {
  /// Other virtual blocks for the same data blocks: a key that moved within the gap between its
  /// neighbours, or a leaf that a former pool left. No other block stores virtual blocks, unless a
  /// snapshot's leaf does.
  case keys
  /// A mapping's time, between 0 and the pool's. At most it makes the kernel copy a block that is
  /// not shared; where it would write to a shared one in place, the device's time is raised.
  case time
  /// Times and transaction id of a device's details: nothing else stores them. Where they would let
  /// the kernel write to shared blocks in place, they are raised.
  case details
  /// Numbers of the superblock that nothing else stores: time, transaction id, flags.
  case superblock

  /// What kind of lie it is that `block` tells; `nil` where something contradicts it.
  init?(_ block: UInt64, _ damaged: MetadataImage, truth: MetadataImage) {
    switch truth.withBlock(block, { BlockKind(of: $0) }) {
    case .thinSuperblock where block == 0: self = .superblock
    case .btreeNode:
      let (old, new) = (truth.node(block), damaged.node(block))
      guard old.isLeaf, new.isLeaf, new.valueSize == old.valueSize else { return nil }
      if old.valueSize == DeviceDetails.Layout.size, old.keys == new.keys {
        self = .details
        return
      }
      guard !old.values.isEmpty,
        old.values.map({ Mapping($0).dataBlock }).sorted()
          == new.values.map({ Mapping($0).dataBlock }).sorted()
      else { return nil }
      self = old.keys == new.keys ? .time : .keys
    default: return nil
    }
  }
}
