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

  /// Data blocks that count as used by more than map them. Where there are some, a leaf that maps
  /// them has as many mappings too many as details may have too few.
  static func leakedBlocks(_ truth: MetadataImage) -> Set<UInt64> {
    Set(OverwrittenModel.differences(truth).filter { $0.value > 0 }.keys)
  }

  /// Later times that `block` tells of mappings that it has right, by data block: whatever else is
  /// wrong with it, and is put right, nothing speaks against these.
  static func laterTimes(
    _ block: UInt64, _ damaged: MetadataImage, truth: MetadataImage
  ) -> [UInt64: UInt32] {
    let isSound = damaged.withBlock(block) {
      BlockKind(of: $0) == .btreeNode
        && BTreeNode($0).isSound(in: MetadataBlock(UInt32(block)))
    }
    guard isSound, truth.withBlock(block, { BlockKind(of: $0) }) == .btreeNode else { return [:] }
    let (old, new) = (truth.node(block), damaged.node(block))
    guard old.isLeaf, new.isLeaf, new.valueSize == Mapping.valueSize else { return [:] }
    let known = Dictionary(uniqueKeysWithValues: zip(old.keys, old.values.map { Mapping($0) }))
    return zip(new.keys, new.values.map { Mapping($0) }).reduce(into: [:]) { times, entry in
      guard let before = known[entry.0], before.dataBlock == entry.1.dataBlock,
        before.time < entry.1.time
      else { return }
      times[before.dataBlock] = entry.1.time
    }
  }

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
