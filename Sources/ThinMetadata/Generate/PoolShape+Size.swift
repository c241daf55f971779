internal import PersistentData

extension PoolShape {
  /// Metadata blocks that the pool takes at most, without the bitmaps of the metadata itself.
  ///
  /// `copiedLeaves`: those that snapshots have of their own because some blocks changed.
  func blocksAtMost(
    dataBlockCount: UInt64, mappedDataBlocks: UInt64, copiedLeaves: UInt64
  ) -> UInt64 {
    let leaf = UInt64(BTreeNode.maximumEntries(valueSize: Mapping.valueSize))
    let minimum = UInt64(BTreeNode.minimumEntries(valueSize: Mapping.valueSize))
    let sharesLeaves = snapshots > 0 && mappings >= minimum
    let perDevice: UInt64
    let leaves: UInt64
    if sharesLeaves {
      let perSegment = PoolShape.quotient(mappings, leaf)
      perDevice = segments * perSegment
      leaves = distinctSegments * perSegment + copiedLeaves
    } else {
      perDevice = max(1, PoolShape.quotient(mappingsPerDevice, leaf))
      // Shared leaves too small to be of use are written all the same.
      leaves = deviceCount * perDevice + (snapshots > 0 ? origins * segments : 0)
    }
    // Where trees may share nodes, a node can be as small as is allowed, and the last leaf of a
    // device can come out as two.
    let internals =
      snapshots > 0
      ? PoolShape.nodes(over: perDevice, fanOut: minimum) + 2
      : PoolShape.nodes(over: perDevice, fanOut: leaf / 2)
    let bitmaps = Bitmap.count(for: dataBlockCount)
    // Either leaves that devices share have large counts, or the data blocks that these leaves map.
    let countsLeaves = sharesLeaves && changedPerMillion == 0
    let largeCounts =
      snapshots == 0 ? 0 : countsLeaves ? leaves / minimum : (leaves + mappedDataBlocks) / minimum
    let trees =
      PoolShape.treeNodes(deviceCount, perLeaf: minimum)
      + PoolShape.treeNodes(deviceCount, perLeaf: minimum / 2)
      + PoolShape.treeNodes(bitmaps, perLeaf: minimum / 2)
    return leaves + deviceCount * internals + bitmaps + largeCounts + trees + 16
  }

  private static func treeNodes(_ entries: UInt64, perLeaf: UInt64) -> UInt64 {
    let leaves = quotient(entries, perLeaf)
    return leaves + nodes(over: leaves, fanOut: perLeaf)
  }

  /// Internal nodes over this many leaves; none over a single one.
  private static func nodes(over leaves: UInt64, fanOut: UInt64) -> UInt64 {
    var sum: UInt64 = 0
    var level = leaves
    while level > 1 {
      level = quotient(level, fanOut)
      sum += level
    }
    return sum
  }

  /// Rounded up.
  private static func quotient(_ number: UInt64, _ divisor: UInt64) -> UInt64 {
    number / divisor + (number % divisor == 0 ? 0 : 1)
  }
}
