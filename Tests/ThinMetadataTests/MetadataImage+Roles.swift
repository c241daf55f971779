import PersistentData
import ThinMetadata

/// A B-tree node copied out of an image.
struct ImageNode: Sendable {
  let block: UInt64
  let isLeaf: Bool
  let maxEntries: Int
  let valueSize: Int
  let keys: [UInt64]
  /// Where the values are eight bytes long; otherwise empty.
  let values: [UInt64]

  func key(_ index: Int) -> Field<UInt64> { Field(at: BTreeNode.Layout.size + 8 * index) }

  /// Where value `index` starts, in bytes from the start of the block.
  func valueOffset(_ index: Int) -> Int {
    BTreeNode.Layout.size + 8 * maxEntries + valueSize * index
  }

  func value(_ index: Int) -> Field<UInt64> { Field(at: valueOffset(index)) }
}

extension MetadataImage {
  var superblock: Superblock { withBlock(0) { Superblock($0) } }

  func node(_ block: UInt64) -> ImageNode {
    withBlock(block) { bytes in
      let node = BTreeNode(bytes)
      let hasNumbers = node.valueSize == 8
      return ImageNode(
        block: block, isLeaf: node.kind == .leaf, maxEntries: node.maxEntries,
        valueSize: node.valueSize, keys: (0..<node.entryCount).map { node.key($0) },
        values: hasNumbers ? (0..<node.entryCount).map { node.value($0) } : [])
    }
  }

  /// The leaves of a tree in key order, each as often as it is reached.
  func leaves(below root: UInt64) -> [ImageNode] {
    let node = node(root)
    return node.isLeaf ? [node] : node.values.flatMap { leaves(below: $0) }
  }

  /// The internal nodes of a tree, parents before children.
  func internalNodes(below root: UInt64) -> [ImageNode] {
    let node = node(root)
    return node.isLeaf ? [] : [node] + node.values.flatMap { internalNodes(below: $0) }
  }

  func nodes(below root: UInt64) -> [ImageNode] {
    internalNodes(below: root) + leaves(below: root)
  }

  /// Device ids and the roots of their mapping trees.
  var devices: [(id: UInt64, root: UInt64)] {
    leaves(below: superblock.mappingRoot).flatMap { zip($0.keys, $0.values).map { ($0, $1) } }
  }

  func root(of device: UInt64) -> UInt64 { devices.first { $0.id == device }?.root ?? 0 }

  /// Every device's mappings: virtual block to mapping.
  var mappings: [UInt64: [UInt64: Mapping]] {
    devices.reduce(into: [:]) { all, device in all[device.id] = mappings(below: device.root) }
  }

  /// The same of the metadata snapshot.
  var heldMappings: [UInt64: [UInt64: Mapping]] {
    heldDevices.reduce(into: [:]) { all, device in all[device.id] = mappings(below: device.root) }
  }

  /// Device ids and roots as the metadata snapshot has them.
  var heldDevices: [(id: UInt64, root: UInt64)] {
    let block = superblock.heldRoot
    if block == 0 { return [] }
    let held = withBlock(block) { Superblock($0) }
    return leaves(below: held.mappingRoot).flatMap { zip($0.keys, $0.values).map { ($0, $1) } }
  }

  func mappings(below root: UInt64) -> [UInt64: Mapping] {
    leaves(below: root).reduce(into: [:]) { all, leaf in
      for (key, value) in zip(leaf.keys, leaf.values) { all[key] = Mapping(value) }
    }
  }

  /// Where the details of a device stand: the leaf, and bytes from its start.
  func detailsPlace(_ device: UInt64) -> (block: UInt64, offset: Int) {
    for leaf in leaves(below: superblock.detailsRoot) {
      if let index = leaf.keys.firstIndex(of: device) {
        return (leaf.block, leaf.valueOffset(index))
      }
    }
    return (0, 0)
  }

  func details(_ device: UInt64) -> DeviceDetails {
    let (block, offset) = detailsPlace(device)
    return details(in: block, at: offset)
  }

  func details(in block: UInt64, at offset: Int) -> DeviceDetails {
    withBlock(block) { bytes in
      DeviceDetails(
        mappedBlocks: bytes[DeviceDetails.Layout.mappedBlocks.shifted(by: offset)],
        transactionID: bytes[DeviceDetails.Layout.transactionID.shifted(by: offset)],
        creationTime: bytes[DeviceDetails.Layout.creationTime.shifted(by: offset)],
        snapshottedTime: bytes[DeviceDetails.Layout.snapshottedTime.shifted(by: offset)])
    }
  }
}

/// One of the two space maps of an image.
struct ImageSpaceMap {
  let root: SpaceMapRoot
  /// Where the superblock keeps the root.
  let rootOffset: Int
  /// The index entries, with the block and the byte where each stands.
  let entries: [(entry: IndexEntry, block: UInt64, offset: Int)]
  /// What the index lies in: one block, or the leaves of a tree.
  let indexKind: BlockKind
}

extension MetadataImage {
  var dataMap: ImageSpaceMap {
    let root = superblock.dataSpaceMap
    let entries = leaves(below: root.bitmapRoot).flatMap { leaf in
      leaf.keys.indices.map { (leaf.block, leaf.valueOffset($0)) }
    }
    return map(root, Superblock.Layout.dataSpaceMap, entries, .btreeNode)
  }

  var metadataMap: ImageSpaceMap {
    let root = superblock.metadataSpaceMap
    let entries = (0..<Int(root.bitmapCount)).map {
      (root.bitmapRoot, MetadataIndex.offset(of: $0))
    }
    return map(root, Superblock.Layout.metadataSpaceMap, entries, .metadataIndex)
  }

  private func map(
    _ root: SpaceMapRoot, _ rootOffset: Int, _ entries: [(UInt64, Int)], _ kind: BlockKind
  ) -> ImageSpaceMap {
    ImageSpaceMap(
      root: root, rootOffset: rootOffset,
      entries: entries.map { block, offset in
        (withBlock(block) { IndexEntry($0, at: offset) }, block, offset)
      }, indexKind: kind)
  }

  /// The two-bit counts of all blocks, 3 standing for 3 and more.
  func counts(_ map: ImageSpaceMap) -> [Int] {
    (0..<Int(map.root.blockCount)).map { count($0, in: map) }
  }

  func count(_ block: Int, in map: ImageSpaceMap) -> Int {
    let place = block % Bitmap.entryCount
    let word: UInt64 = self[
      map.entries[block / Bitmap.entryCount].entry.block,
      Bitmap.word(place / Bitmap.entriesPerWord)]
    return Bitmap.count(place % Bitmap.entriesPerWord, in: word)
  }

  /// The counts of 3 and more, by block.
  func largeCounts(_ map: ImageSpaceMap) -> [Int: Int] {
    leaves(below: map.root.refCountRoot).reduce(into: [:]) { all, leaf in
      withBlock(leaf.block) { bytes in
        for (place, key) in leaf.keys.enumerated() {
          all[Int(key)] = Int(bytes[Field<UInt32>(at: leaf.valueOffset(place))])
        }
      }
    }
  }

  /// Changes the two bits of a block, and nothing that sums them up.
  mutating func setCount(_ block: Int, to count: Int, in map: ImageSpaceMap) {
    let place = block % Bitmap.entryCount
    let field = Bitmap.word(place / Bitmap.entriesPerWord)
    let shift = 2 * UInt64(place % Bitmap.entriesPerWord)
    let bits = UInt64(count >> 1 | (count & 1) << 1)
    edit(map.entries[block / Bitmap.entryCount].entry.block, as: .bitmap) { bytes in
      bytes[field] = bytes[field] & ~(3 << shift) | bits << shift
    }
  }

  /// Changes the entry of a bitmap in the index.
  mutating func editIndex(
    _ bitmap: Int, of map: ImageSpaceMap, _ body: (inout IndexEntry) -> Void
  ) {
    let place = map.entries[bitmap]
    var entry = place.entry
    body(&entry)
    edit(place.block, as: map.indexKind) { entry.encode(into: &$0, at: place.offset) }
  }

  /// Changes the root of a space map in the superblock.
  mutating func editRoot(of map: ImageSpaceMap, _ body: (inout SpaceMapRoot) -> Void) {
    var root = map.root
    body(&root)
    edit(0, as: .thinSuperblock) { root.encode(into: &$0, at: map.rootOffset) }
  }

  /// Allocates a free block with a count of 1 as a kernel would, all sums kept right.
  mutating func allocate(_ block: Int, in map: (MetadataImage) -> ImageSpaceMap, count: Int = 1) {
    let before = map(self)
    setCount(block, to: count, in: before)
    editIndex(block / Bitmap.entryCount, of: before) { $0.freeCount -= 1 }
    editRoot(of: before) { $0.allocatedCount += 1 }
  }
}
