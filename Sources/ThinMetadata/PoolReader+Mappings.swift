package import PersistentData

extension PoolReader {
  package var limits: MappingLeaf.Limits {
    MappingLeaf.Limits(dataBlockCount: dataBlockCount, time: timeLimit)
  }

  /// Reads the leaves of all mapping trees, each once, and counts the references to data blocks.
  ///
  /// The number of data blocks is believed as far as the metadata device has room for bitmaps.
  package mutating func readMappings() throws(IOError) -> RefCounts {
    let room = usage.blockCount * UInt64(Bitmap.entryCount)
    let counts = RefCounts(count: min(dataBlockCount, room))
    let limits = MappingLeaf.Limits(dataBlockCount: counts.count, time: timeLimit)
    let visitors = mappings.readLeaves(findings: &findings) {
      CountingVisitor(counts: counts, leaf: MappingLeaf(limits))
    }
    for var visitor in visitors {
      visitor.batch.flush()
      findings.merge(visitor.findings)
      latestTime = max(latestTime, visitor.latestTime)
      highestDataBlock = [highestDataBlock, visitor.highestDataBlock].compactMap(\.self).max()
      for (block, count) in visitor.mappingCounts { leafEntryCounts[Int(block)] = count }
    }
    return counts
  }

  /// Mappings below each node, as far as they can be read.
  package var mappingTotals: SubtreeTotals {
    SubtreeTotals(mappings, leafEntryCounts: leafEntryCounts)
  }
}

/// Counts the data blocks of the leaves it is given.
private struct CountingVisitor: LeafVisitor {
  var batch: CountBatch
  var leaf: MappingLeaf
  var findings = Findings()
  var mappingCounts: [(UInt32, UInt8)] = []
  private(set) var latestTime: UInt32 = 0
  private(set) var highestDataBlock: UInt64?

  init(counts: RefCounts, leaf: MappingLeaf) {
    batch = CountBatch(counts)
    self.leaf = leaf
  }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    let staged = batch.stage(node.valueSpan, above: Mapping.timeBits)
    let bounds = Mapping(dataBlock: staged.highest, time: UInt32(staged.highestRest))
    if let keys = node.keys, leaf.isSound(keys, bounds, reference) {
      batch.addStaged()
      mappingCounts.append((reference.block.number, UInt8(node.entryCount)))
      note(bounds)
      return
    }
    leaf.read(node, reference, findings: &findings)
    mappingCounts.append((reference.block.number, UInt8(leaf.mappingCount)))
    for run in leaf.runs {
      batch.add(BlockRun(begin: run.dataBegin, length: run.length))
      note(Mapping(dataBlock: run.dataBegin + run.length - 1, time: run.time))
    }
  }

  private mutating func note(_ bounds: Mapping) {
    latestTime = max(latestTime, bounds.time)
    highestDataBlock = max(highestDataBlock ?? 0, bounds.dataBlock)
  }
}
