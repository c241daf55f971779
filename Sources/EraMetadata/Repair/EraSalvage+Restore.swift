package import PersistentData

extension EraSalvage: RestorableSalvage {
  /// Blocks that new metadata takes on a device of `blockCount` blocks, which may be too few.
  package func neededBlocks(on blockCount: UInt64) -> UInt64 {
    let full = fullEra.map { _ in UInt64(header.blockCount) }
    let bitCounts = (full.map { [$0] } ?? []) + writesets.map(\.bitCount)
    let bitsets = bitCounts.reduce(0) { $0 + ArraySize.blocks(EraReader.Structure.writeset, $1) }
    let tree = TreeSize.nodes(for: UInt64(bitCounts.count), valueSize: Writeset.Layout.size)
    let eras = ArraySize.blocks(EraReader.Structure.eraArray, UInt64(header.blockCount))
    return ArraySize.metadataBlocks(forArrays: bitsets + tree + eras, on: blockCount)
  }

  /// Writes new metadata. A device that is too small is left as it is.
  package func restore(to file: BlockFile) throws(WriteError) {
    let available = min(file.blockCount, MetadataBlock.maximumCount)
    let needed = neededBlocks(on: available)
    guard needed <= available else {
      throw .outputTooSmall(needed: needed, available: available)
    }
    var restorer = EraRestorer(file)
    try emit(to: &restorer)
  }
}
