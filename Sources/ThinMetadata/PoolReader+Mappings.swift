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
      visitor.flush()
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

/// Counts the data blocks of the leaves it is given, many runs at a time.
private struct CountingVisitor: LeafVisitor {
  /// Runs that are worth taking the lock.
  private static let runsPerFlush = 8192

  let counts: RefCounts
  var leaf: MappingLeaf
  var findings = Findings()
  var mappingCounts: [(UInt32, UInt8)] = []
  private(set) var latestTime: UInt32 = 0
  private(set) var highestDataBlock: UInt64?
  private var runs: [BlockRun] = []

  init(counts: RefCounts, leaf: MappingLeaf) {
    self.counts = counts
    self.leaf = leaf
  }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    leaf.read(node, reference, findings: &findings)
    mappingCounts.append((reference.block.number, UInt8(leaf.mappingCount)))
    for run in leaf.runs {
      runs.append(BlockRun(begin: run.dataBegin, length: run.length))
      latestTime = max(latestTime, run.time)
      highestDataBlock = max(highestDataBlock ?? 0, run.dataBegin + run.length - 1)
    }
    if runs.count >= CountingVisitor.runsPerFlush { flush() }
  }

  mutating func flush() {
    counts.increment(runs)
    runs.removeAll(keepingCapacity: true)
  }
}
