package import PersistentData
internal import Threads

/// One of two devices that are compared.
package struct DeltaSide: Hashable, Sendable {
  package enum Name: Hashable, Sendable {
    case device(UInt64)
    /// The block in which its mapping tree begins.
    case root(UInt64)
  }

  package let name: Name
  package let root: MetadataBlock
  /// The device's id.
  fileprivate let owner: UInt64

  /// Why there is no such side.
  package enum Failure: Error, Equatable {
    case noSuchDevice(others: [UInt64])
    /// There is such a device, but damage hides its tree.
    case lostDevice
    /// No device's tree begins in the block.
    case noDevicesRoot
  }

  /// Finds a side among the devices that are looked at; by its root, also among those of the
  /// metadata snapshot.
  package init(_ name: Name, in reader: PoolReader) throws(Failure) {
    let found: ThinDevice?
    switch name {
    case .device(let id):
      found = reader.devices.first { $0.id == id }
      guard found != nil else {
        if reader.lostTopLevel.contains(where: { $0.contains(id) }) { throw .lostDevice }
        throw .noSuchDevice(others: reader.devices.map(\.id))
      }
    case .root(let block):
      found = (reader.devices + reader.heldDevices).first {
        $0.root?.number == UInt32(exactly: block) && $0.root != nil
      }
      if found == nil { throw .noDevicesRoot }
    }
    guard let device = found, let root = device.root else { throw .lostDevice }
    self.name = name
    self.root = root
    owner = device.id
  }
}

/// A comparison of two devices by their mapping trees.
///
/// Both trees are walked at once, and leaves that both have are read once, or not at all if only
/// the differences are wanted.
package struct TreeDelta {
  /// Whether parts that are the same are left out, unread.
  package var skipsSame = false
  /// Whether runs end where the data blocks don't go on.
  package var endsRunsByData = false

  package init() {}

  /// Compares two devices of a pool, and gives `body` the runs, ascending, each as long as
  /// possible. Stops at the first error: what was given until then is incomplete.
  package func run(
    _ left: DeltaSide, _ right: DeltaSide, in reader: PoolReader,
    _ body: (DeltaRun) throws(DumpError) -> Void
  ) throws(DumpError) {
    var usage = reader.usage
    var findings = Findings()
    let roots = [
      TreeRoot(left.root, owner: left.owner, reach: .tree(1)),
      TreeRoot(right.root, owner: right.owner, reach: .tree(2)),
    ]
    let walk = TreeWalk(
      PoolReader.Structure.mapping, roots: roots, in: reader.file, usage: &usage,
      findings: &findings, skippingShared: skipsSame)
    guard findings.worst != .error else { throw .damaged(findings) }
    var leaves = DeltaLeaves(
      walk, left.root, right.root, blockCount: usage.blockCount, skipsSame: skipsSame)
    guard !leaves.hasHoles else { throw .damaged(findings) }
    reader.file.progress.begin("reading the mapping trees", total: leaves.count)

    var comparison = DeltaComparison(skipsSame: skipsSame, endsRunsByData: endsRunsByData)
    let (file, limits) = (reader.file, reader.limits)
    let pipeline = OrderedPipeline<DeltaReader, DeltaChunk, DeltaChunk>(
      makeContext: { DeltaReader(file, limits) }, transform: { $0.read($1) })
    try pipeline.run(next: { leaves.next() }) { (chunk) throws(DumpError) in
      if chunk.findings.worst == .error { throw .damaged(chunk.findings) }
      for (index, leaf) in chunk.leaves.enumerated() {
        // All mappings below this leaf's first key have been added.
        try comparison.settle(below: leaf.first, body)
        comparison.merge.add(chunk.runs(index), toLeft: leaf.isLeft, toRight: leaf.isRight)
      }
    }
    try comparison.settle(below: nil, body)
    try comparison.finish(body)
  }
}

/// What is known of both devices so far, and the run that may still continue.
private struct DeltaComparison {
  let skipsSame: Bool
  let endsRunsByData: Bool
  var merge = DeltaMerge()
  private var joiner = Joiner<DeltaRun>()

  init(skipsSame: Bool, endsRunsByData: Bool) {
    self.skipsSame = skipsSame
    self.endsRunsByData = endsRunsByData
  }

  mutating func settle<Failure: Error>(
    below boundary: UInt64?, _ body: (DeltaRun) throws(Failure) -> Void
  ) throws(Failure) {
    while let run = merge.next(below: boundary) {
      if let done = joiner.add(endsRunsByData ? run : run.withoutData),
        !skipsSame || done.kind != .same
      {
        try body(done)
      }
    }
  }

  mutating func finish<Failure: Error>(
    _ body: (DeltaRun) throws(Failure) -> Void
  ) throws(Failure) {
    if let done = joiner.finish(), !skipsSame || done.kind != .same { try body(done) }
  }
}

/// A leaf of one tree, or of both.
private struct DeltaLeaf: Sendable {
  let reference: NodeReference
  /// The lowest key that it may have.
  let first: UInt64
  let isLeft: Bool
  let isRight: Bool
}

/// Some leaves, and once they have been read, their mappings.
private struct DeltaChunk: Sendable {
  /// Few enough that the memory for their mappings is reused.
  static let maxLeaves = 32

  var leaves: [DeltaLeaf] = []
  var findings = Findings()
  fileprivate var all: [MappingRun] = []
  /// Where in `all` the mappings of each leaf end.
  fileprivate var ends: [Int] = []

  func runs(_ leaf: Int) -> ArraySlice<MappingRun> {
    all[(leaf == 0 ? 0 : ends[leaf - 1])..<ends[leaf]]
  }
}

/// The leaves of both trees in the order of their keys.
private struct DeltaLeaves {
  /// The label of a node that both trees reach.
  private static let both: UInt32 = 3

  private let walk: TreeWalk
  private var left: ArraySlice<(block: MetadataBlock, first: UInt64)>
  private var right: ArraySlice<(block: MetadataBlock, first: UInt64)>
  private(set) var hasHoles = false

  init(
    _ walk: TreeWalk, _ leftRoot: MetadataBlock, _ rightRoot: MetadataBlock, blockCount: UInt64,
    skipsSame: Bool
  ) {
    self.walk = walk
    left = []
    right = []
    let labels = LeafLabels(
      walk, [(leftRoot, 1), (rightRoot, 2)], blockCount: blockCount, joining: |)
    var hasHoles = false
    func leaves(below root: MetadataBlock) -> [(block: MetadataBlock, first: UInt64)] {
      var found: [(block: MetadataBlock, first: UInt64)] = []
      if skipsSame, labels[root] == DeltaLeaves.both { return [] }
      walk.forEachBottom(
        below: root, entering: { !skipsSame || labels[$0] != DeltaLeaves.both }
      ) { bottom in
        switch bottom {
        case .leaf(let block, let keys?): found.append((block, keys.lowerBound))
        case .leaf: break
        case .hole: hasHoles = true
        }
      }
      return found
    }
    left = leaves(below: leftRoot)[...]
    right = leaves(below: rightRoot)[...]
    self.hasHoles = hasHoles
  }

  var count: Int { left.count + right.count }

  /// The next few leaves; `nil` at the end.
  mutating func next() -> DeltaChunk? {
    var chunk = DeltaChunk()
    while chunk.leaves.count < DeltaChunk.maxLeaves, let leaf = nextLeaf() {
      chunk.leaves.append(leaf)
    }
    return chunk.leaves.isEmpty ? nil : chunk
  }

  private mutating func nextLeaf() -> DeltaLeaf? {
    while true {
      let (mine, theirs) = (left.first, right.first)
      guard let next = mine ?? theirs else { return nil }
      let leaf: (block: MetadataBlock, first: UInt64)
      var (isLeft, isRight) = (false, false)
      if let mine, let theirs, mine.block == theirs.block {
        leaf = (mine.block, min(mine.first, theirs.first))
        (isLeft, isRight) = (true, true)
      } else if let theirs, theirs.first < mine?.first ?? .max || mine == nil {
        leaf = theirs
        isRight = true
      } else {
        leaf = mine ?? next
        isLeft = true
      }
      if isLeft { left.removeFirst() }
      if isRight { right.removeFirst() }
      // A leaf that the walk did not reach is reported in its findings.
      guard let index = walk.leafIndex(of: leaf.block) else { continue }
      return DeltaLeaf(
        reference: walk.leaf(at: index), first: leaf.first, isLeft: isLeft, isRight: isRight)
    }
  }
}

/// Reads the leaves of chunks.
private struct DeltaReader {
  private var batch: LeafBatch
  private var leaf: MappingLeaf

  init(_ file: BlockFile, _ limits: MappingLeaf.Limits) {
    batch = LeafBatch(PoolReader.Structure.mapping, in: file)
    leaf = MappingLeaf(limits)
  }

  mutating func read(_ chunk: DeltaChunk) -> DeltaChunk {
    var result = chunk
    var leaf = leaf
    batch.read(chunk.leaves.map(\.reference)) { index, node, findings in
      while result.ends.count < index { result.ends.append(result.all.count) }
      leaf.read(node, chunk.leaves[index].reference, findings: &findings)
      result.all += leaf.runs
      result.ends.append(result.all.count)
    }
    while result.ends.count < chunk.leaves.count { result.ends.append(result.all.count) }
    result.findings = batch.reader.findings
    batch.reader.findings = Findings()
    return result
  }
}
