internal import PersistentData

/// Collects the runs that begin in a window; if there are too many, those that begin first.
struct ReverseVisitor: LeafVisitor {
  let regions: DataRegions
  /// A leaf is looked into if it maps one of these data blocks.
  private let sight: Range<UInt64>
  private let begin: UInt64
  private(set) var buckets: ReverseBuckets
  private var leaf: MappingLeaf
  /// The first `stagedCount` are the entries of the leaf that is looked at.
  private var staged: [ReverseEntry]
  private var stagedCount = 0
  private(set) var findings = Findings()

  /// Filled in the first pass.
  private(set) var histogram: ReverseHistogram?
  private(set) var edges: [LeafEdges.Edge] = []

  /// `isFirstPass`: whether to find out what later passes have to know; `leafCount`: about how many
  /// leaves there may be.
  init(
    _ regions: DataRegions, from begin: UInt64, to end: UInt64, capacity: Int, leaf: MappingLeaf,
    isFirstPass: Bool, leafCount: Int
  ) {
    self.regions = regions
    self.begin = begin
    buckets = ReverseBuckets(from: begin, to: end, capacity: capacity)
    // What begins right behind a region says whether a run goes on there.
    sight = isFirstPass ? regions.first..<regions.end + 1 : begin..<buckets.end
    self.leaf = leaf
    staged = Array(
      repeating: .none, count: BTreeNode.capacity(valueSize: Mapping.valueSize))
    histogram = isFirstPass ? ReverseHistogram(regions) : nil
    // Memory that is never touched costs nothing; growing would take three times as much.
    if isFirstPass { edges.reserveCapacity(leafCount) }
  }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    guard let keys = node.keys else { return }
    let survey = ValueSurvey(of: node.valueSpan, above: Mapping.timeBits, for: sight)
    let bounds = Mapping(dataBlock: survey.highestBlock, time: UInt32(survey.highestRest))
    buckets.makeRoom()
    if leaf.isSound(keys, bounds, reference) {
      // Most have nothing to do with what is asked for.
      if survey.firstHit(from: 0) != nil { stageRuns(node, survey, reference.block.number) }
    } else {
      stagePossibleRuns(node, reference)
    }
    if !buckets.isOverfull { buckets.append(staged[..<stagedCount]) }
    stagedCount = 0
  }

  /// Stages the runs of a sound leaf.
  private mutating func stageRuns(_ node: BTreeNode, _ survey: ValueSurvey, _ leaf: UInt32) {
    // A run continues where only the time differs, which isn't wanted here.
    let ends = RunEnds(
      of: node.valueSpan, step: 1 << Mapping.timeBits, mattering: .max << Mapping.timeBits,
      keys: node.keySpan)
    func run(_ entries: Range<Int>) -> MappingRun {
      MappingRun(
        virtualBegin: node.key(entries.lowerBound),
        dataBegin: node.value(entries.lowerBound) >> Mapping.timeBits,
        length: UInt64(entries.count), time: 0)
    }
    let last = node.entryCount - 1
    if histogram != nil {
      let (first, end) = (ends.run(with: 0), ends.run(with: last))
      note(leaf, run(first), run(end), isOnly: first == end)
    }
    var next = 0
    while let hit = survey.firstHit(from: next) {
      let entries = ends.run(with: hit)
      stage(run(entries), of: leaf, isFirst: entries.lowerBound == 0, isLast: entries.last == last)
      next = entries.upperBound
    }
  }

  /// Stages those runs of a leaf that can be true.
  private mutating func stagePossibleRuns(_ node: BTreeNode, _ reference: NodeReference) {
    leaf.read(node, reference, findings: &findings)
    var runs: [MappingRun] = []
    for var run in leaf.runs {
      // A run continues where only the time differs, which isn't wanted here.
      run.time = 0
      runs.appendJoining(run)
    }
    guard let first = runs.first, let last = runs.last else { return }
    let leaf = reference.block.number
    if histogram != nil { note(leaf, first, last, isOnly: runs.count == 1) }
    for (index, run) in runs.enumerated() {
      stage(run, of: leaf, isFirst: index == 0, isLast: index == runs.count - 1)
    }
  }

  private mutating func note(
    _ leaf: UInt32, _ first: MappingRun, _ last: MappingRun, isOnly: Bool
  ) {
    guard regions.touch(first.dataBlocks) || regions.touch(last.dataBlocks) else { return }
    edges.append(
      LeafEdges.Edge(
        leaf: leaf, length: UInt16(first.length), isOnly: isOnly,
        virtualBegin: first.virtualBegin, dataBegin: first.dataBegin,
        virtualEnd: last.virtualLast &+ 1, dataEnd: last.dataBegin + last.length))
  }

  @inline(__always) private mutating func stage(
    _ run: MappingRun, of leaf: UInt32, isFirst: Bool, isLast: Bool
  ) {
    let runEnd = run.dataBegin + run.length
    let (begin, end) = (begin, buckets.end)
    let regions = regions
    regions.forEachPart(of: run.dataBlocks) { part, region in
      let start = part.lowerBound
      histogram?.count(start)
      if start < begin || start >= end { return }
      staged[stagedCount] = ReverseEntry(
        offset: start - begin, leaf: leaf, length: part.count,
        virtualBegin: run.virtualBegin &+ (start - run.dataBegin),
        isFirst: isFirst && start == run.dataBegin && start > region.lowerBound,
        isLast: isLast && part.upperBound == runEnd && runEnd < region.upperBound)
      stagedCount += 1
    }
  }
}
