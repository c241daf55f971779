/// Tells whether blocks other than the first look like a target's metadata: then its superblock was
/// overwritten.
package enum MetadataTraces {
  /// Blocks to read from the start on, where new pools have theirs, and as many more spread over
  /// the device.
  private static let looked: UInt64 = 256
  /// Fewer than this may be leftovers of another use.
  private static let fewest = 3

  /// Reads some 2 MiB. `hasArrays`: whether the target keeps arrays, as caches and era devices do
  /// and pools don't.
  package static func stand(in file: BlockFile, hasArrays: Bool) -> Bool {
    let count = min(file.blockCount, MetadataBlock.maximumCount)
    let near = min(count, looked)
    let step = max(1, count / looked)
    var found = 0
    var arrays = 0
    for number in Array(1..<max(near, 1)) + Array(stride(from: near, to: count, by: Int(step))) {
      guard let block = UInt32(exactly: number) else { break }
      let kind = try? file.withBlock(MetadataBlock(block)) { bytes in
        // Every block but a superblock stores its own number there.
        bytes[BTreeNode.Layout.block] == number ? BlockKind(of: bytes) : nil
      }
      switch kind ?? nil {
      case .btreeNode, .bitmap, .metadataIndex: found += 1
      case .array: arrays += 1
      default: break
      }
    }
    return hasArrays ? arrays > 0 && found > 0 : arrays == 0 && found >= fewest
  }
}
