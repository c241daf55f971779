/// Where new metadata goes.
package enum WriteTarget: Sendable {
  case file(BlockFile)
  /// Nowhere: only counted, as for a device of so many blocks.
  case count(UInt64)

  /// Begins new metadata whose arrays take `arrays` blocks or more; from then on a file is no
  /// metadata until all is written. A file that is too small is left as it is.
  package func open(forArrays arrays: UInt64) throws(WriteError) -> BlockWriter {
    switch self {
    case .count(let blockCount): return BlockWriter(counting: blockCount)
    case .file(let file):
      let needed = ArraySize.metadataBlocks(forArrays: arrays)
      let available = min(file.blockCount, MetadataBlock.maximumCount)
      if needed > available { throw .outputTooSmall(needed: needed, available: available) }
      do throws(IOError) { return try BlockWriter(file) } catch { throw .output(error) }
    }
  }
}
