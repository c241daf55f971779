import PersistentData
import ThinMetadata

/// Where findings about the data space map are.
private func data(
  block: UInt64? = nil, entry: Int? = nil, keys: ClosedRange<Int>? = nil
) -> Site {
  Site(
    "data space map", order: 5, block: block, entry: entry,
    keys: keys.map { UInt64($0.lowerBound)...UInt64($0.upperBound) })
}

extension DamageCase {
  static let spaceMaps = [
    DamageCase(.deviceTruncated, "the device lost its last blocks, all free") { image in
      let map = image.metadataMap
      let last = (0..<image.blockCount).last { image.count($0, in: map) > 0 } ?? 0
      image.truncate(blocks: last + 1)
      return Site("superblock", order: 0)
    },
    DamageCase(.bitmapMissing, "the index tree's last entry is gone", entails: [.blockLeaked]) {
      image in
      let map = image.dataMap
      let last = map.entries.count - 1
      image.set(
        map.entries[last].block, as: .btreeNode, BTreeNode.Layout.entryCount, to: UInt32(last))
      return data(keys: last * Bitmap.entryCount...Int(map.root.blockCount) - 1)
    },
    DamageCase(
      .bitmapSuperfluous, "the data device shrank by a bitmap", entails: [.blockLeaked]
    ) { image in
      let last = image.dataMap.entries.count - 1
      image.editRoot(of: image.dataMap) { $0.blockCount = UInt64(last * Bitmap.entryCount) }
      return data(keys: last...last)
    },
    DamageCase(.refCountTooLow, "two leaves lead to a block with a count of 1", of: snapshots) {
      image in
      let block = try image.dataBlock(count: 2)
      image.setCount(block, to: 1, in: image.dataMap)
      return data(keys: block...block)
    },
    DamageCase(.refCountTooLow, "a node with two parents has a count of 1", of: manySnapshots) {
      image in
      let map = image.metadataMap
      guard let node = (1..<image.blockCount).first(where: { image.count($0, in: map) == 2 })
      else { throw NoSuchPlace() }
      image.setCount(node, to: 1, in: map)
      let key = UInt64(node)
      return Site("metadata space map", order: 6, keys: key...key)
    },
    DamageCase(.refCountTooHigh, "a block mapped once has a count of 2") { image in
      let block = try image.dataBlock(count: 1)
      image.setCount(block, to: 2, in: image.dataMap)
      return data(keys: block...block)
    },
    DamageCase(.blockLeaked, "a data block that nothing maps has a count of 1") { image in
      let block = try image.dataBlock(count: 0)
      image.allocate(block, in: { $0.dataMap })
      return data(keys: block...block)
    },
    DamageCase(.blockLeaked, "a metadata block that nothing uses has a count of 2") { image in
      let block = image.freeBlock
      image.allocate(Int(block), in: { $0.metadataMap }, count: 2)
      return Site("metadata space map", order: 6, keys: block...block)
    },
    DamageCase(
      .refCountEntryMissing, "a bitmap says 3 and the tree of large counts is empty", of: snapshots
    ) { image in
      let block = try image.dataBlock(count: 2)
      image.setCount(block, to: 3, in: image.dataMap)
      return data(keys: block...block)
    },
    DamageCase(
      .refCountEntryTooSmall, "a count of 2 stands in the tree of large counts", of: snapshots
    ) { image in
      let block = try image.dataBlock(count: 2)
      image.setCount(block, to: 3, in: image.dataMap)
      image.addLargeCount(2, of: block)
      return data(keys: block...block)
    },
    DamageCase(.refCountEntrySuperfluous, "a large count that no bitmap asks for") { image in
      let block = try image.dataBlock(count: 1)
      image.addLargeCount(3, of: block)
      return data(keys: block...block)
    },
    DamageCase(.entryBeyondEnd, "a bitmap counts the block after the last") { image in
      let end = Int(image.dataMap.root.blockCount)
      image.setCount(end, to: 1, in: image.dataMap)
      return data(keys: end...end)
    },
    DamageCase(.entryBeyondEnd, "a large count of the block after the last") { image in
      let end = Int(image.dataMap.root.blockCount)
      image.addLargeCount(3, of: end)
      return data(keys: end...end)
    },
    DamageCase(.allocatedCountWrong, "nr_allocated is one too high") { image in
      image.editRoot(of: image.dataMap) { $0.allocatedCount += 1 }
      return data()
    },
    DamageCase(.allocatedCountWrong, "nr_allocated of the metadata is one too low") { image in
      image.editRoot(of: image.metadataMap) { $0.allocatedCount -= 1 }
      return Site("metadata space map", order: 6)
    },
    DamageCase(.freeCountWrong, "nr_free is one too low") { image in
      image.editIndex(0, of: image.dataMap) { $0.freeCount -= 1 }
      return data(keys: 0...Bitmap.entryCount - 1)
    },
    DamageCase(.freeCountWrong, "nr_free of the metadata is one too high") { image in
      image.editIndex(0, of: image.metadataMap) { $0.freeCount += 1 }
      return Site("metadata space map", order: 6, keys: 0...UInt64(image.blockCount - 1))
    },
    DamageCase(.firstFreeTooHigh, "none_free_before points behind a free block") { image in
      let first = try image.dataBlock(count: 0)
      image.editIndex(0, of: image.dataMap) { $0.noneFreeBefore = UInt32(first) + 1 }
      return data(keys: 0...Bitmap.entryCount - 1)
    },
  ]
}
