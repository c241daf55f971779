internal import PersistentData

/// Blocks that may be part of the mapping array, recognized by what they hold.
struct MappingParts: ArrayContents {
  /// So many mappings in common are no chance.
  private static let minShared = 16

  /// Which cache blocks are in use, by the block and the index in it: a bit each.
  private let mapped: [MetadataBlock: [UInt64]]
  private let index: ArrayIndex
  /// Cache blocks that are known to be in use; `nil` where nothing is known.
  private let inUse: Bitset?
  private let values: PartValues<UInt64>

  /// `parts`: any blocks of arrays; those that hold no mappings are not possible anywhere.
  /// `inUse`: cache blocks that are known to be in use.
  init(
    _ parts: [ArrayCensus.Part], of index: ArrayIndex, _ rules: MappingRules, _ inUse: Bitset?,
    in file: BlockFile
  ) {
    var mapped: [MetadataBlock: [UInt64]] = [:]
    for part in parts where part.valueSize == index.shape.valueSize {
      let words = try? file.withBlock(part.block) { bytes -> [UInt64]? in
        let block = ArrayBlock(bytes)
        var words = [UInt64](repeating: 0, count: (index.shape.valuesPerBlock + 63) / 64)
        for entry in 0..<min(block.entryCount, index.shape.valuesPerBlock) {
          let value: UInt64 = block.value(entry)
          if value == 0 { continue }
          if rules.isError(value) { return nil }
          words[entry / 64] |= 1 << UInt64(entry % 64)
        }
        return words
      }
      if let words = words ?? nil { mapped[part.block] = words }
    }
    self.mapped = mapped
    values = PartValues(parts.filter { mapped[$0.block] != nil }, in: file)
    self.index = index
    self.inUse = inUse
  }

  /// Those that hold nothing but mappings.
  func plausible(among parts: [ArrayCensus.Part]) -> [ArrayCensus.Part] {
    parts.filter { mapped[$0.block] != nil }
  }

  /// Whether a block leaves out no cache block that is known to be in use.
  func fits(_ part: ArrayCensus.Part, _ place: Int) -> Bool {
    guard let words = mapped[part.block] else { return false }
    guard let inUse else { return true }
    for (entry, cacheBlock) in index.shape.range(ofBlock: place, count: index.entryCount)
      .enumerated()
    where inUse[cacheBlock] && words[entry / 64] >> UInt64(entry % 64) & 1 == 0 {
      return false
    }
    return true
  }

  /// Parts that still have mappings of the former block; those that are dirty now are the same.
  func successors(of former: MetadataBlock) -> Set<MetadataBlock>? {
    let shared = values.compared(with: former) { old, new in
      var count = 0
      for (one, other) in zip(old, new) where one & other & CacheMapping.validFlag != 0 {
        if (one ^ other) >> CacheMapping.flagBits == 0 { count += 1 }
      }
      return count
    }
    // Without it, nothing is known: all mappings may have been replaced since.
    guard let shared, shared.values.contains(where: { $0 >= MappingParts.minShared })
    else { return nil }
    return Set(shared.filter { $0.value > 0 }.keys)
  }

  /// Mappings that a block holds.
  func count(in part: ArrayCensus.Part) -> Int {
    mapped[part.block, default: []].reduce(0) { $0 + $1.nonzeroBitCount }
  }
}
