internal import PersistentData

/// Writes mapping trees leaf by leaf, some of whose leaves belong to several devices.
///
/// Counts the references to data blocks as mappings go into leaves; a shared leaf is counted once,
/// when it is written. No leaf but a root ever has less than a third of its entries: a few mappings
/// alone beside a shared leaf take its mappings in, and that leaf isn't shared there.
struct MappingTreeWriter {
  private let writer: BlockWriter
  /// References to the blocks of the data device; complete between trees.
  let dataCounts: RefCounts
  private var internalNodes: SharedInternalNodes
  private var leaves = NodeCutter<UInt64>(.leaf)
  private var uncounted: CountBatch
  /// Whether the tree being written has leaves that were written earlier.
  private var sharesLeaves = false
  /// By leaf: entries of leaves that were only counted, and that a tree had to take in.
  private var unknownEntries: [MetadataBlock: Int] = [:]

  init(_ writer: BlockWriter, dataBlockCount: UInt64) {
    self.writer = writer
    dataCounts = RefCounts(count: dataBlockCount)
    uncounted = CountBatch(dataCounts)
    internalNodes = SharedInternalNodes(writer)
  }

  mutating func push(_ run: MappingRun) throws(IOError) {
    if leaves.keptCount == 0 { try openSmallLast() }
    try leaves.push(
      keysFrom: run.virtualBegin, count: run.length,
      valuesFrom: Mapping(dataBlock: run.dataBegin, time: run.time).value,
      step: 1 << Mapping.timeBits, to: writer)
    uncounted.add(BlockRun(begin: run.dataBegin, length: run.length))
  }

  /// Adds entries as they stand on disk, and returns the highest data block that they refer to;
  /// when the data device does not have it, the entries are not counted.
  mutating func push(_ keys: Span<UInt64>, _ values: Span<UInt64>) throws(IOError) -> UInt64 {
    if leaves.keptCount == 0 { try openSmallLast() }
    try leaves.push(littleEndian: keys, values, to: writer)
    let highest = uncounted.stage(values, above: Mapping.timeBits).highest
    if highest < dataCounts.count { uncounted.addStaged() }
    return highest
  }

  /// Adds leaves written earlier; their first key is higher than all before.
  mutating func attach(_ shared: [WrittenNode]) throws(IOError) {
    sharesLeaves = true
    for node in shared {
      let isFirst = leaves.keptCount == 0 && leaves.nodes.isEmpty
      if leaves.keptCount == 0 { try openSmallLast() }
      let hasFewBefore = leaves.keptCount > 0 && leaves.keptCount < leaves.minimum
      if hasFewBefore || node.entryCount < leaves.minimum && !isFirst {
        try pushEntries(of: node)
      } else {
        try leaves.flush(to: writer)
        leaves.attach(node)
      }
    }
  }

  /// Ends a run of leaves that trees will share.
  mutating func finishLeaves() throws(IOError) -> [WrittenNode] {
    if leaves.keptCount > 0, leaves.keptCount < leaves.minimum, let last = leaves.nodes.last {
      try mergeIntoLast(last)
    }
    try leaves.flush(to: writer)
    uncounted.flush()
    sharesLeaves = false
    return leaves.takeNodes()
  }

  /// Ends a tree and returns its root; the caller counts the reference to it.
  mutating func finishTree() throws(IOError) -> MetadataBlock {
    let isShared = sharesLeaves
    let nodes = try finishLeaves()
    if nodes.isEmpty { return try writer.appendEmptyLeaf(of: UInt64.self) }
    return isShared
      ? try internalNodes.write(over: nodes) : try InternalNodes.write(over: nodes, to: writer)
  }

  /// Blocks that the tree of large counts may take beyond those counted: which data blocks got one
  /// more reference isn't known, so they may have had no large count before.
  var mostUncountedBlocks: UInt64 {
    if unknownEntries.isEmpty { return 0 }
    let entries = unknownEntries.values.reduce(0, +)
    // Two leaves that are not full, and a root where there was none.
    return UInt64(entries / BTreeNode.maximumEntries(valueSize: UInt32.encodedSize)) + 3
  }

  /// Takes back the count of a leaf that nothing refers to in the end.
  func uncount(_ leaf: WrittenNode) throws(IOError) {
    for (_, value) in try entries(of: leaf) {
      let block = Mapping(value).dataBlock
      dataCounts.set(block, to: dataCounts[block] - 1)
    }
  }

  /// A leaf written earlier that isn't the only one may have too few entries to stay.
  private mutating func openSmallLast() throws(IOError) {
    guard let last = leaves.nodes.last, last.entryCount < leaves.minimum else { return }
    _ = leaves.detachLast()
    try pushEntries(of: last)
  }

  /// The few mappings at the end of a tree take in the leaf before them.
  private mutating func mergeIntoLast(_ last: WrittenNode) throws(IOError) {
    let (keys, values) = leaves.takeKept()
    _ = leaves.detachLast()
    try pushEntries(of: last)
    for (key, value) in zip(keys, values) { try leaves.push(key, value, to: writer) }
  }

  private mutating func pushEntries(of node: WrittenNode) throws(IOError) {
    guard writer.holds(node.block) else {
      // Blocks are only counted by now, and any entries will do.
      unknownEntries[node.block] = node.entryCount
      for index in 0..<node.entryCount {
        try leaves.push(node.firstKey &+ UInt64(index), 0, to: writer)
      }
      return
    }
    for (key, value) in try entries(of: node) {
      try leaves.push(key, value, to: writer)
      uncounted.add(BlockRun(begin: Mapping(value).dataBlock, length: 1))
    }
  }

  private func entries(of node: WrittenNode) throws(IOError) -> [(UInt64, UInt64)] {
    try writer.withBlock(node.block) { bytes in
      let leaf = BTreeNode(bytes)
      return (0..<leaf.entryCount).map { (leaf.key($0), leaf.value($0)) }
    }
  }
}
