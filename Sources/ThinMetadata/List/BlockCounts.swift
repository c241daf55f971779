internal import PersistentData

/// Counts of a device's blocks.
package struct BlockCounts: Hashable, Sendable {
  /// Virtual blocks that are mapped.
  package let mapped: UInt64
  /// Of these, the ones whose data block no other device maps. A data block that one device maps
  /// twice, as no kernel does, is not among them. `nil` where damage hides what others map.
  package let exclusive: UInt64?
  /// The highest virtual block that is mapped; `nil` for an empty device.
  package let highest: UInt64?

  package var shared: UInt64? { exclusive.map { mapped - min(mapped, $0) } }
}

/// The counts of all devices of a pool: those of the metadata snapshot, where that was chosen.
struct DeviceCounts {
  /// By device, in the reader's order; `nil` where damage hides some of its mappings.
  private(set) var counts: [BlockCounts?]

  /// Reads the leaves of all devices, each once; those that are one device's own once more, where
  /// some of their blocks are mapped elsewhere too.
  init(_ reader: inout PoolReader) {
    let roots = reader.devices.map(\.root)
    let labels = LeafLabels(
      reader.mappings,
      roots.enumerated().compactMap { index, root in root.map { ($0, UInt32(index + 1)) } },
      blockCount: reader.usage.blockCount, joining: LeafLabels.same)
    let references = RefCounts(count: reader.limits.dataBlockCount, watchingExclusive: true)
    let limits = reader.limits
    let visitors = reader.mappings.readLeaves(
      where: reader.isLive, findings: &reader.findings
    ) { [leafCount = reader.mappings.leafCount] in
      OwnershipVisitor(
        labels: labels, references: references, leaf: MappingLeaf(limits), leafCount: leafCount)
    }

    var entryCounts = BlockTable<UInt8>(count: reader.usage.blockCount)
    var highest = HighestKeys(blockCount: reader.usage.blockCount)
    var exclusive = [UInt64](repeating: 0, count: roots.count + 2)
    var isSound = true
    for var visitor in visitors {
      visitor.batch.flush()
      reader.findings.merge(visitor.findings)
      if visitor.findings.worst == .error { isSound = false }
      for note in visitor.notes {
        entryCounts[note.block.index] = note.count
        highest.set(note.block, note.highest)
        let label = labels[note.block]
        if label != LeafLabels.several { exclusive[Int(label)] += UInt64(note.count) }
      }
    }
    if references.endWatch() {
      exclusive = DeviceCounts.countExclusive(&reader, labels, references)
    }
    let totals = SubtreeTotals(reader.mappings, leafEntryCounts: entryCounts)
    highest.sum(reader.mappings)
    let sums = roots.map { $0.map { totals[below: $0] } }
    isSound =
      isSound && reader.lostTopLevel.isEmpty
      && sums.allSatisfy { $0?.hasDamage == false && $0?.hasMisfits == false }
    counts = zip(sums, roots).enumerated().map { index, device in
      guard let sum = device.0, let root = device.1, !sum.hasDamage, !sum.hasMisfits
      else { return nil }
      return BlockCounts(
        mapped: sum.entryCount, exclusive: isSound ? exclusive[index + 1] : nil,
        highest: highest.key(below: root.number, reader.mappings))
    }
  }

  /// Counts again, in the leaves that are one device's own, blocks that nothing else maps.
  private static func countExclusive(
    _ reader: inout PoolReader, _ labels: LeafLabels, _ references: RefCounts
  ) -> [UInt64] {
    let limits = reader.limits
    // What is wrong has been reported.
    var findings = Findings()
    let deviceCount = reader.devices.count
    let visitors = reader.mappings.readLeaves(
      where: { $0.treeCount == 1 }, findings: &findings
    ) {
      SoleVisitor(
        labels: labels, references: references, leaf: MappingLeaf(limits),
        deviceCount: deviceCount)
    }
    return visitors.reduce(into: Array(repeating: 0, count: deviceCount + 2)) { sums, visitor in
      for index in visitor.counts.indices { sums[index] += visitor.counts[index] }
    }
  }
}

/// Counts the data blocks of leaves, as exclusive references where a leaf is one device's own.
private struct OwnershipVisitor: LeafVisitor {
  struct Note {
    let block: MetadataBlock
    let count: UInt8
    let highest: UInt64
  }

  let labels: LeafLabels
  var batch: CountBatch
  var leaf: MappingLeaf
  var findings = Findings()
  var notes: [Note] = []

  init(labels: LeafLabels, references: RefCounts, leaf: MappingLeaf, leafCount: Int) {
    self.labels = labels
    batch = CountBatch(references)
    self.leaf = leaf
    // Memory that is never touched costs nothing; growing would take three times as much.
    notes.reserveCapacity(leafCount)
  }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    let isExclusive = labels[reference.block] != LeafLabels.several
    let staged = batch.stage(
      node.valueSpan, above: Mapping.timeBits, exclusiveFrom: isExclusive ? 0 : .max)
    let bounds = Mapping(dataBlock: staged.highest, time: UInt32(staged.highestRest))
    guard let keys = node.keys else { return }
    if leaf.isSound(keys, bounds, reference) {
      batch.addStaged()
      note(reference, node.entryCount, keys.upperBound)
      return
    }
    leaf.read(node, reference, findings: &findings)
    for run in leaf.runs {
      batch.add(BlockRun(begin: run.dataBegin, length: run.length, isExclusive: isExclusive))
    }
    if let last = leaf.runs.last { note(reference, leaf.mappingCount, last.virtualLast) }
  }

  private mutating func note(_ reference: NodeReference, _ count: Int, _ highest: UInt64) {
    notes.append(Note(block: reference.block, count: UInt8(count), highest: highest))
  }
}

/// Counts, by device, the mappings of blocks that have no other reference.
private struct SoleVisitor: LeafVisitor {
  let labels: LeafLabels
  let references: RefCounts
  var leaf: MappingLeaf
  /// By label.
  var counts: [UInt64]
  private var runs: [BlockRun] = []
  private var findings = Findings()

  init(labels: LeafLabels, references: RefCounts, leaf: MappingLeaf, deviceCount: Int) {
    self.labels = labels
    self.references = references
    self.leaf = leaf
    counts = Array(repeating: 0, count: deviceCount + 2)
  }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    let label = labels[reference.block]
    guard label != LeafLabels.several else { return }
    leaf.read(node, reference, findings: &findings)
    runs.removeAll(keepingCapacity: true)
    for run in leaf.runs { runs.append(BlockRun(begin: run.dataBegin, length: run.length)) }
    counts[Int(label)] += references.countOfOnes(in: runs.span)
  }
}
