package import PersistentData

/// Whether blocks other than the first look like the metadata of a thin pool: then something was
/// written over its superblock.
package enum PoolTraces {
  /// Blocks that are looked at from the start on, where new pools have theirs, and as many more
  /// all over the device.
  private static let looked: UInt64 = 256
  /// Fewer may be what is left of another use.
  private static let fewest = 3

  /// Reads some 2 MiB.
  package static func stand(in file: BlockFile) -> Bool {
    let count = min(file.blockCount, MetadataBlock.maximumCount)
    let near = min(count, looked)
    let step = max(1, count / looked)
    var found = 0
    for number in Array(1..<max(near, 1)) + Array(stride(from: near, to: count, by: Int(step))) {
      guard let block = UInt32(exactly: number) else { break }
      let kind = try? file.withBlock(MetadataBlock(block)) { bytes in
        // All that a pool writes has its own number.
        bytes[BTreeNode.Layout.block] == number ? BlockKind(of: bytes) : nil
      }
      switch kind ?? nil {
      case .btreeNode, .bitmap, .metadataIndex: found += 1
      // Caches and era devices have these, pools don't.
      case .array: return false
      default: break
      }
    }
    return found >= fewest
  }
}
