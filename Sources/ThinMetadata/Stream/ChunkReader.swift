internal import PersistentData
internal import Threads

/// A chunk whose leaves have been read, as runs: what text is made of.
struct ChunkOfRuns: Sendable {
  let chunk: StreamChunk
  /// The mappings of all leaves, one after the other.
  private var runs: [MappingRun] = []
  /// Where in `runs` the mappings of each leaf end.
  private var ends: [Int] = []
  /// What is wrong with the leaves.
  fileprivate(set) var findings = Findings()

  fileprivate init(_ chunk: StreamChunk) { self.chunk = chunk }

  /// Emits the events of this part of the pool.
  func replay<Events: ThinEvents & ~Copyable>(
    into events: inout Events
  ) throws(Events.Failure) {
    try chunk.replay(into: &events) { (leaf, events) throws(Events.Failure) in
      for index in (leaf == 0 ? 0 : ends[leaf - 1])..<ends[leaf] { try events.run(runs[index]) }
    }
  }

  fileprivate mutating func append(_ leaf: ArraySlice<MappingRun>) {
    runs += leaf
    ends.append(runs.count)
  }

  /// Adds leaves until there are `count`: as they were kept, or without mappings.
  fileprivate mutating func fill(to count: Int, from kept: KeptRuns) {
    while ends.count < count {
      let leaf = chunk.leaves[ends.count]
      kept.append(runsOf: leaf.block, keysFrom: leaf.first, to: &runs)
      ends.append(runs.count)
    }
  }
}

/// A chunk whose leaves have been read, each in the form that costs least: what new leaves are
/// made of.
struct ChunkOfLeaves: Sendable {
  private enum Leaf {
    /// A range of `runs`.
    case runs(Range<Int>)
    /// A range of `words`: the keys of the entries, then their values.
    case entries(Range<Int>)
  }

  let chunk: StreamChunk
  private var leaves: [Leaf] = []
  private var runs: [MappingRun] = []
  private var words: [UInt64] = []

  fileprivate init(_ chunk: StreamChunk) { self.chunk = chunk }

  /// Emits the events of this part of the pool.
  func replay<Events: EntryEvents & ~Copyable>(
    into events: inout Events
  ) throws(Events.Failure) {
    try chunk.replay(into: &events) { (leaf, events) throws(Events.Failure) in
      switch leaves[leaf] {
      case .runs(let range):
        for index in range { try events.run(runs[index]) }
      case .entries(let range):
        let words = words.span.extracting(range)
        let count = words.count / 2
        try events.entries(words.extracting(first: count), words.extracting(last: count))
      }
    }
  }

  fileprivate mutating func append(_ leaf: ArraySlice<MappingRun>) {
    let start = runs.count
    runs += leaf
    leaves.append(.runs(start..<runs.count))
  }

  fileprivate mutating func append(entriesOf leaf: BTreeNode) {
    if words.isEmpty {
      let capacity = BTreeNode.capacity(valueSize: Mapping.valueSize)
      words.reserveCapacity(2 * capacity * chunk.leaves.count)
    }
    let start = words.count
    words.append(copying: leaf.keySpan)
    words.append(copying: leaf.valueSpan)
    leaves.append(.entries(start..<words.count))
  }

  /// Adds leaves until there are `count`: as they were kept, or without mappings.
  fileprivate mutating func fill(to count: Int, from kept: KeptRuns) {
    while leaves.count < count {
      let leaf = chunk.leaves[leaves.count]
      let start = runs.count
      kept.append(runsOf: leaf.block, keysFrom: leaf.first, to: &runs)
      leaves.append(.runs(start..<runs.count))
    }
  }
}

/// Reads the leaves of chunks; what a worker keeps from one chunk to the next.
struct ChunkReader {
  private let file: BlockFile
  private var batch: LeafBatch
  private var leaf: MappingLeaf
  private let kept: KeptRuns

  init(_ file: BlockFile, _ limits: MappingLeaf.Limits, _ kept: KeptRuns) {
    self.file = file
    batch = LeafBatch(PoolReader.Structure.mapping, in: file)
    leaf = MappingLeaf(limits)
    self.kept = kept
  }

  mutating func readRuns(_ chunk: StreamChunk) -> ChunkOfRuns {
    var result = ChunkOfRuns(chunk)
    var leaf = leaf
    let kept = kept
    readOthers(chunk) { index, node, findings in
      result.fill(to: index, from: kept)
      leaf.read(node, chunk.leaves[index], findings: &findings)
      result.append(leaf.runs)
    }
    result.fill(to: chunk.leaves.count, from: kept)
    result.findings = batch.reader.findings
    batch.reader.findings = Findings()
    self.leaf = leaf
    return result
  }

  /// Reads what is sound; what is wrong with the rest has been reported elsewhere.
  mutating func readLeaves(_ chunk: StreamChunk) -> ChunkOfLeaves {
    var result = ChunkOfLeaves(chunk)
    var leaf = leaf
    let kept = kept
    readOthers(chunk) { index, node, findings in
      result.fill(to: index, from: kept)
      let limit = KeptRuns.runsAtMost
      if leaf.read(node, chunk.leaves[index], upTo: limit, findings: &findings) {
        result.append(leaf.runs)
      } else {
        result.append(entriesOf: node)
      }
    }
    result.fill(to: chunk.leaves.count, from: kept)
    batch.reader.findings = Findings()
    self.leaf = leaf
    return result
  }

  /// Reads the leaves that were not kept and gives the sound ones to `visit`, by their index.
  private mutating func readOthers(
    _ chunk: StreamChunk, _ visit: (Int, BTreeNode, inout Findings) -> Void
  ) {
    let others = chunk.leaves.indices.filter { !kept.holds(chunk.leaves[$0].block) }
    batch.read(others.map { chunk.leaves[$0] }) { visit(others[$0], $1, &$2) }
    // Those that were kept count as read.
    file.progress.advance(chunk.leaves.count - others.count)
  }
}

extension LeafStream {
  /// Reads the leaves that weren't `kept`, on all cores; `transform` is applied there too,
  /// `consume` gets its results here, in order.
  mutating func run<Output: Sendable, Failure: Error>(
    reading file: BlockFile, _ limits: MappingLeaf.Limits, _ kept: KeptRuns,
    transform: @escaping @Sendable (inout ChunkReader, StreamChunk) -> Output,
    consume: (Output) throws(Failure) -> Void
  ) throws(Failure) {
    let pipeline = OrderedPipeline<ChunkReader, StreamChunk, Output>(
      makeContext: { ChunkReader(file, limits, kept) }, transform: transform)
    var stream = self
    try pipeline.run(next: { stream.next() }, consume: consume)
    self = stream
  }
}

extension PoolReader {
  /// Emits the events of a pool with these devices, whose trees this reader has read: ascending by
  /// id, those without a root empty.
  ///
  /// `kept`: mappings that need not be read again. `purpose`: what the progress display says.
  /// `sharingRuns`: whether mappings that devices share come once, and then as references.
  func replay<Events: EntryEvents & ~Copyable>(
    _ pool: PoolHeader, _ devices: [(header: DeviceHeader, root: MetadataBlock?)],
    _ kept: KeptRuns = KeptRuns(), into events: inout Events, for purpose: String,
    sharingRuns: Bool = true
  ) throws(Events.Failure) {
    // Leaves that come for each device can't be counted beforehand.
    file.progress.begin(purpose, total: sharingRuns ? mappings.leafCount : 0)
    let roots = devices.compactMap(\.root)
    let sharing =
      sharingRuns ? LeafSharing(mappings, roots: roots, blockCount: usage.blockCount) : nil
    var stream = LeafStream(pool, devices, in: mappings, sharing: sharing)
    try stream.run(reading: file, limits, kept) { reader, chunk in
      reader.readLeaves(chunk)
    } consume: { (chunk) throws(Events.Failure) in
      try chunk.replay(into: &events)
    }
  }
}
