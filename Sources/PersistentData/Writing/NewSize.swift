/// How large a device or file to advise for new metadata.
package enum NewSize {
  /// 16 MiB; a smaller size saves nothing.
  private static let minBlocks: UInt64 = 4096

  /// A size that is enough when `needed` blocks were counted.
  package static func sufficient(for needed: UInt64) -> UInt64 {
    let (roomy, isLarge) = needed.addingReportingOverflow(needed / 8 + 8)
    return isLarge ? needed : min(roomy, max(needed, MetadataBlock.maximumCount))
  }

  /// A size that leaves a pool room, and is no larger than the old metadata's unless it must be.
  ///
  /// `needed`: blocks that the new metadata takes, roughly. `old`: blocks of the device or file
  /// that holds the old.
  package static func blocks(needed: UInt64, old: UInt64) -> UInt64 {
    let needed = min(needed, MetadataBlock.maximumCount)
    let old = min(old, MetadataBlock.maximumCount)
    return needed > old ? sufficient(for: needed) : min(old, max(2 * needed, minBlocks))
  }

  /// A size that leaves a kernel room to work, for metadata that takes `needed` blocks, plus
  /// `besides`.
  package static func roomy(for needed: UInt64, besides: UInt64 = 0) -> UInt64 {
    // More than kernels reserve, and more than they warn below.
    let roomy = needed + besides + min(4096, needed / 2) + 64
    return min((roomy + 255) & ~255, MetadataBlock.maximumCount)
  }

  /// A size for metadata somewhere in `file`, estimated from its stored blocks.
  package static func blocks(for file: BlockFile) -> UInt64 {
    let count = min(file.blockCount, MetadataBlock.maximumCount)
    let stored = file.storedBlocks(in: 0..<count).reduce(0) { $0 + UInt64($1.count) }
    return blocks(needed: stored, old: count)
  }
}
