internal import PersistentData

extension Superblock {
  /// Raises the snapshotted times of devices in the details tree, each leaf written once; a higher
  /// one only makes the kernel copy more. Call only after a check without errors.
  ///
  /// Returns the lowest time that the pool must have then.
  func raise(
    _ times: [SnapshottedTimeTooLow], in file: BlockFile, through editor: inout some BlockEditor
  ) throws(IOError) -> UInt32 {
    var leaves: [MetadataBlock: [SnapshottedTimeTooLow]] = [:]
    for time in times {
      if let leaf = try detailsLeaf(of: time.device, in: file) {
        leaves[leaf, default: []].append(time)
      }
    }
    for (leaf, times) in leaves.sorted(by: { $0.key < $1.key }) {
      let lowest = Dictionary(times.map { ($0.device, $0.lowest) }, uniquingKeysWith: max)
      try editor.edit(leaf, sealedAs: .btreeNode) { bytes in
        let leaf = LeafLayout(bytes.bytes)
        for index in 0..<leaf.entryCount {
          let device: UInt64 = bytes[leaf.key(index)]
          guard let time = lowest[device] else { continue }
          let offset = leaf.valueOffset(index)
          bytes[DeviceDetails.Layout.snapshottedTime.shifted(by: offset)] = time
        }
      }
    }
    return min(max(time, times.map(\.lowest).max() ?? 0), Mapping.timeMaximum)
  }

  /// The leaf of the details tree that a device's entry belongs in.
  private func detailsLeaf(
    of device: UInt64, in file: BlockFile
  ) throws(IOError) -> MetadataBlock? {
    var next = MetadataBlock(pointer: detailsRoot, count: file.blockCount)
    for _ in 0...Tree.levelLimit {
      guard let block = next else { return nil }
      var isLeaf = false
      next = try file.withBlock(block) { bytes in
        let node = BTreeNode(bytes)
        isLeaf = node.kind == .leaf
        let above = (0..<node.entryCount).first { node.key($0) > device } ?? node.entryCount
        guard !isLeaf, above > 0 else { return nil }
        return MetadataBlock(pointer: node.value(above - 1), count: file.blockCount)
      }
      if isLeaf { return block }
    }
    return nil
  }
}
