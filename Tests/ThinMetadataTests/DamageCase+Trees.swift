import PersistentData
import ThinMetadata

extension DamageCase {
  static let blocksAndTrees = [
    DamageCase(
      .blockBadChecksum, "a leaf was overwritten in part", entails: [.countsNotJudged]
    ) { image in
      let place = try image.leafPlace
      image.damage(place.leaf.block) { $0[place.leaf.key(5)] = 0x0123_4567_89AB_CDEF }
      return place.site(keys: place.keys)
    },
    DamageCase(
      .blockWrongKind, "a bitmap lies where a leaf belongs", entails: [.countsNotJudged]
    ) { image in
      let place = try image.leafPlace
      image.edit(place.leaf.block, as: .bitmap) { _ in }
      return place.site(keys: place.keys)
    },
    DamageCase(
      .blockWrongNumber, "a leaf claims to live next door", entails: [.countsNotJudged]
    ) { image in
      let place = try image.leafPlace
      image.set(
        place.leaf.block, as: .btreeNode, BTreeNode.Layout.block, to: place.leaf.block + 1)
      return place.site()
    },
    DamageCase(
      .blockUsedTwice, "both space maps have the same tree of large counts",
      entails: [.refCountTooLow, .countsNotJudged]
    ) { image in
      let data = image.dataMap
      image.editRoot(of: image.metadataMap) { $0.refCountRoot = data.root.refCountRoot }
      return Site(
        "metadata space map reference counts", order: 6, block: data.root.refCountRoot)
    },
    DamageCase(.nodeUnknownKind, "flags are 3", entails: [.countsNotJudged]) { image in
      let place = try image.leafPlace
      image.set(place.leaf.block, as: .btreeNode, BTreeNode.Layout.flags, to: 3)
      return place.site()
    },
    DamageCase(.nodeWrongValueSize, "a mapping takes four bytes", entails: [.countsNotJudged]) {
      image in
      let place = try image.leafPlace
      image.set(place.leaf.block, as: .btreeNode, BTreeNode.Layout.valueSize, to: 4)
      return place.site()
    },
    DamageCase(.nodeOverfull, "one entry more than there is room for", entails: [.countsNotJudged])
    {
      image in
      let place = try image.leafPlace
      image.set(
        place.leaf.block, as: .btreeNode, BTreeNode.Layout.entryCount,
        to: UInt32(place.leaf.maxEntries) + 1)
      return place.site()
    },
    DamageCase(.nodeOverfull, "arrays longer than the block", entails: [.countsNotJudged]) {
      image in
      let place = try image.leafPlace
      image.set(place.leaf.block, as: .btreeNode, BTreeNode.Layout.maxEntries, to: 255)
      return place.site()
    },
    DamageCase(.nodeEmpty, "a tree's root has no entries", entails: [.countsNotJudged]) { image in
      let place = try image.leafPlace
      image.set(place.parent.block, as: .btreeNode, BTreeNode.Layout.entryCount, to: 0)
      return Site("mapping tree", order: 4, device: place.device, block: place.parent.block)
    },
    DamageCase(.nodeUnderfull, "an empty leaf is not a root") { image in
      let leaf = image.dataMap.root.refCountRoot
      let root = image.addParent(of: leaf)
      image.editRoot(of: image.dataMap) { $0.refCountRoot = root }
      return Site("data space map reference counts", order: 5, block: leaf)
    },
    DamageCase(.nodeUnusualMaximum, "an empty leaf's arrays are three shorter") { image in
      let leaf = image.dataMap.root.refCountRoot
      image.set(leaf, as: .btreeNode, BTreeNode.Layout.maxEntries, to: 333)
      return Site("data space map reference counts", order: 5, block: leaf)
    },
    DamageCase(.keysNotAscending, "a key stands there twice", entails: [.countsNotJudged]) {
      image in
      let place = try image.leafPlace
      image.set(place.leaf.block, as: .btreeNode, place.leaf.key(18), to: place.leaf.keys[17])
      return place.site(entry: 18)
    },
    DamageCase(
      .keyOutOfRange, "a leaf's first key belongs to the leaf before",
      entails: [.countsNotJudged, .mappedBlocksWrong]
    ) { image in
      let place = try image.leafPlace
      image.set(
        place.leaf.block, as: .btreeNode, place.leaf.key(0), to: place.keys.lowerBound - 1)
      return place.site(entry: 0)
    },
    DamageCase(
      .keyOutOfRange, "a leaf's last key belongs to the leaf behind",
      entails: [.countsNotJudged, .mappedBlocksWrong]
    ) { image in
      let place = try image.leafPlace
      let last = place.leaf.keys.count - 1
      image.set(
        place.leaf.block, as: .btreeNode, place.leaf.key(last), to: place.keys.upperBound + 1)
      return place.site(entry: last)
    },
    DamageCase(
      .childOutOfDevice, "a pointer to the block after the last", entails: [.countsNotJudged]
    ) { image in
      let place = try image.leafPlace
      image.set(
        place.parent.block, as: .btreeNode, place.parent.value(place.entry),
        to: UInt64(image.blockCount))
      return Site(
        "mapping tree", order: 4, device: place.device, block: place.parent.block,
        entry: place.entry)
    },
    DamageCase(.childOutOfDevice, "a pointer to the superblock", entails: [.countsNotJudged]) {
      image in
      let place = try image.leafPlace
      image.set(place.parent.block, as: .btreeNode, place.parent.value(place.entry), to: 0)
      return Site(
        "mapping tree", order: 4, device: place.device, block: place.parent.block,
        entry: place.entry)
    },
    DamageCase(.leafAtWrongDepth, "a leaf calls itself internal", entails: [.countsNotJudged]) {
      image in
      let place = try image.leafPlace
      image.set(
        place.leaf.block, as: .btreeNode, BTreeNode.Layout.flags,
        to: BTreeNode.Kind.internal.rawValue)
      return place.site()
    },
    DamageCase(
      .treeTooDeep, "a leaf below 17 internal nodes", entails: [.countsNotJudged]
    ) { image in
      var root = image.dataMap.root.refCountRoot
      for _ in 0..<17 { root = image.addParent(of: root) }
      image.editRoot(of: image.dataMap) { $0.refCountRoot = root }
      return Site("data space map reference counts", order: 5, block: root)
    },
    DamageCase(
      .blockUsedTwice, "a root is its own child", entails: [.refCountTooLow, .countsNotJudged]
    ) { image in
      let place = try image.leafPlace
      image.set(
        place.parent.block, as: .btreeNode, place.parent.value(0), to: place.parent.block)
      return Site("mapping tree", order: 4, device: place.device, block: place.parent.block)
    },
  ]
}

extension MetadataImage {
  /// Takes a free block for an internal node with `child` as its only one.
  fileprivate mutating func addParent(of child: UInt64) -> UInt64 {
    let root = freeBlock
    edit(root, as: .btreeNode) { bytes in
      bytes[BTreeNode.Layout.flags] = BTreeNode.Kind.internal.rawValue
      bytes[BTreeNode.Layout.block] = root
      bytes[BTreeNode.Layout.entryCount] = 1
      bytes[BTreeNode.Layout.maxEntries] = UInt32(BTreeNode.maximumEntries(valueSize: 8))
      bytes[BTreeNode.Layout.valueSize] = 8
    }
    let node = node(root)
    edit(root, as: .btreeNode) { bytes in
      bytes[node.key(0)] = 0
      bytes[node.value(0)] = child
    }
    allocate(Int(root), in: { $0.metadataMap })
    return root
  }
}
