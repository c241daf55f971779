import PersistentData
import TestSupport
import ThinMetadata

// MARK: Nodes of B-trees

extension MetadataImage {
  func nodeChanges(
    _ block: UInt64, _ role: String, _ sharing: SharingModel, _ random: inout SeededRandom
  ) -> [FieldChange] {
    typealias Layout = BTreeNode.Layout
    let node = node(block)
    let count = UInt32(node.keys.count)
    var changes = FieldChanges(block, .btreeNode)
    changes.set(
      "node.flags", Layout.flags, to: [0, node.isLeaf ? 1 : 2, 3, 4][random.number(0..<4)])
    changes.shift("node.block", Layout.block, from: block, &random)
    changes.shift("node.nr_entries", Layout.entryCount, from: count, &random)
    changes.shift("node.max_entries", Layout.maxEntries, from: UInt32(node.maxEntries), &random)
    changes.shift("node.value_size", Layout.valueSize, from: UInt32(node.valueSize), &random)
    changes.set("node, spare", Layout.padding, to: 1)
    if node.keys.count < node.maxEntries {
      changes.set("node, spare", node.key(node.keys.count), to: random.next())
      changes.set(
        "node, spare", Field<UInt8>(at: node.valueOffset(node.keys.count)), to: 255)
    }
    guard count > 0 else { return changes.all }
    let index = random.number(0..<node.keys.count)
    let keyName = node.isLeaf ? "\(role).key" : "internal node.key"
    changes.shift(keyName, node.key(index), from: node.keys[index], &random)
    if count > 1 {
      let first = random.number(0..<node.keys.count - 1)
      changes.add("\(role).keys swapped") { bytes in
        bytes[node.key(first)] = node.keys[first + 1]
        bytes[node.key(first + 1)] = node.keys[first]
      }
    }
    valueChanges(node, index, role, sharing, &changes, &random)
    return changes.all
  }

  private func valueChanges(
    _ node: ImageNode, _ index: Int, _ role: String, _ sharing: SharingModel,
    _ changes: inout FieldChanges, _ random: inout SeededRandom
  ) {
    let offset = node.valueOffset(index)
    switch role {
    case "details leaf":
      detailsChanges(node, node.keys[index], offset, sharing, &changes, &random)
    case "index leaf":
      let entry = withBlock(node.block) { IndexEntry($0, at: offset) }
      indexChanges(entry, of: dataMap, Int(node.keys[index]), offset, &changes, &random)
    case "large counts leaf":
      let field = Field<UInt32>(at: offset)
      changes.shift("large counts.count", field, from: self[node.block, field], &random)
    case "mapping leaf":
      let mapping = Mapping(node.values[index])
      let others = [mapping.dataBlock + 1, mapping.dataBlock + 3, 1 << 39]
      changes.set(
        "mapping.data_block", node.value(index),
        to: Mapping(dataBlock: others[random.number(0..<3)], time: mapping.time).value)
      for time in [0, mapping.time + 1, superblock.time, superblock.time + 1]
      where time != mapping.time && time <= Mapping.timeMaximum {
        let isDangerous = sharing.isDangerous(mapping, inLeaf: node.block, at: time)
        let name =
          time < mapping.time
          ? "lowered"
          : time > superblock.time
            ? "beyond the pool's" : isDangerous ? "raised, shared" : "raised, harmless"
        changes.set(
          "mapping.time \(name)", node.value(index),
          to: Mapping(dataBlock: mapping.dataBlock, time: time).value)
      }
    default: changes.shift("\(role).child", node.value(index), from: node.values[index], &random)
    }
  }

  private func detailsChanges(
    _ node: ImageNode, _ device: UInt64, _ offset: Int, _ sharing: SharingModel,
    _ changes: inout FieldChanges, _ random: inout SeededRandom
  ) {
    typealias Layout = DeviceDetails.Layout
    let old = details(in: node.block, at: offset)
    changes.shift(
      "details.mapped_blocks", Layout.mappedBlocks.shifted(by: offset), from: old.mappedBlocks,
      &random)
    changes.shift(
      "details.transaction", Layout.transactionID.shifted(by: offset), from: old.transactionID,
      &random)
    changes.shift(
      "details.creation_time", Layout.creationTime.shifted(by: offset), from: old.creationTime,
      &random)
    let isLive = detailsPlace(device) == (node.block, offset)
    let latest = isLive ? sharing.latestSharedTimes[device] : nil
    let field = Layout.snapshottedTime.shifted(by: offset)
    changes.set(
      "details.snapshotted_time raised", field, to: old.snapshottedTime + random.number(1...3))
    for time in Set([0, old.creationTime, latest ?? 0, (latest ?? 0) + 1]).sorted()
    where time < old.snapshottedTime {
      let isDangerous = latest.map { $0 >= time } ?? false
      changes.set(
        "details.snapshotted_time lowered, \(isDangerous ? "shared" : "harmless")", field, to: time)
    }
  }
}

// MARK: Space maps

extension MetadataImage {
  func bitmapChanges(
    _ map: ImageSpaceMap, _ name: String, _ random: inout SeededRandom
  ) -> [FieldChange] {
    guard !map.entries.isEmpty else { return [] }
    let bitmap = random.number(0..<map.entries.count)
    var changes = FieldChanges(map.entries[bitmap].entry.block, .bitmap)
    changes.shift("bitmap.block", Bitmap.Layout.block, from: changes.block, &random)
    changes.set("bitmap, spare", Bitmap.Layout.unused, to: 1)
    let first = bitmap * Bitmap.entryCount
    let end = min(first + Bitmap.entryCount, Int(map.root.blockCount))
    let counts = (first..<end).map { count($0, in: map) }
    func set(_ name: String, _ entry: Int, to count: Int) {
      let field = Bitmap.word(entry / Bitmap.entriesPerWord)
      let shift = 2 * UInt64(entry % Bitmap.entriesPerWord)
      let bits = UInt64(count >> 1 | (count & 1) << 1)
      changes.add(name) { $0[field] = $0[field] & ~(3 << shift) | bits << shift }
    }
    let used = counts.indices.filter { counts[$0] > 0 }
    if let entry = used.randomElement(using: &random) {
      set("\(name).entry freed", entry, to: 0)
      let other = [1, 2, 3].filter { $0 != counts[entry] }[random.number(0..<2)]
      set("\(name).entry changed", entry, to: other)
    }
    if let entry = counts.indices.filter({ counts[$0] == 0 }).randomElement(using: &random) {
      set("\(name).entry allocated", entry, to: random.number(1...3))
    }
    if end - first < Bitmap.entryCount {
      set("\(name).entry beyond the end", end - first, to: random.number(1...3))
    }
    return changes.all
  }

  func metadataIndexChanges(_ random: inout SeededRandom) -> [FieldChange] {
    let map = metadataMap
    var changes = FieldChanges(map.root.bitmapRoot, .metadataIndex)
    typealias Layout = MetadataIndex.Layout
    changes.shift("metadata index.block", Layout.block, from: map.root.bitmapRoot, &random)
    changes.set("metadata index, spare", Layout.padding, to: 1)
    changes.set(
      "metadata index, spare", Field<UInt8>(at: MetadataIndex.offset(of: map.entries.count)), to: 9)
    let index = random.number(0..<map.entries.count)
    indexChanges(
      map.entries[index].entry, of: map, index, map.entries[index].offset, &changes, &random)
    return changes.all
  }

  /// Changes to what an index says of a bitmap.
  private func indexChanges(
    _ entry: IndexEntry, of map: ImageSpaceMap, _ bitmap: Int, _ offset: Int,
    _ changes: inout FieldChanges, _ random: inout SeededRandom
  ) {
    typealias Layout = IndexEntry.Layout
    changes.shift("index.block", Layout.block.shifted(by: offset), from: entry.block, &random)
    let missing = max(0, (bitmap + 1) * Bitmap.entryCount - Int(map.root.blockCount))
    if missing > 0 {
      changes.set(
        "index.nr_free without spare slots", Layout.freeCount.shifted(by: offset),
        to: entry.freeCount - UInt32(missing))
    }
    for step in [1, 3] as [UInt32] where Int(step) != missing {
      changes.set(
        "index.nr_free", Layout.freeCount.shifted(by: offset), to: entry.freeCount &- step)
      changes.set(
        "index.nr_free", Layout.freeCount.shifted(by: offset), to: entry.freeCount + step)
    }
    let first = (bitmap * Bitmap.entryCount..<(bitmap + 1) * Bitmap.entryCount).first {
      $0 >= Int(map.root.blockCount) || count($0, in: map) == 0
    }
    let firstFree = first.map { $0 - bitmap * Bitmap.entryCount } ?? Bitmap.entryCount
    let field = Layout.noneFreeBefore.shifted(by: offset)
    changes.set("index.none_free_before too high", field, to: UInt32(firstFree) + 1)
    if entry.noneFreeBefore > 0 {
      changes.set(
        "index.none_free_before lower", field, to: random.number(0..<entry.noneFreeBefore))
    }
    if entry.noneFreeBefore < firstFree {
      changes.set("index.none_free_before higher", field, to: UInt32(firstFree))
    }
  }
}
