internal import PersistentData

/// Collects the runs that begin in a window; of more than it may keep, those that begin first.
struct ReverseVisitor: LeafVisitor {
  /// Entries that are looked at to find the middle of them.
  private static let sampleCount = 1024

  let regions: DataRegions
  let begin: UInt64
  /// Entries that begin here or behind are for another pass.
  private(set) var end: UInt64
  private let capacity: Int
  /// With more entries than this, some are dropped.
  private var limit: Int
  private(set) var entries: [ReverseEntry] = []
  private var leaf: MappingLeaf
  /// Of the leaf that is looked at.
  private var runs: [MappingRun] = []
  private(set) var findings = Findings()

  /// Filled in the first pass.
  private(set) var histogram: ReverseHistogram?
  private(set) var firsts: [LeafEdges.First] = []
  private(set) var lasts: [LeafEdges.Last] = []

  /// `isFirstPass`: whether to find out what later passes have to know.
  init(
    _ regions: DataRegions, from begin: UInt64, to end: UInt64, capacity: Int, leaf: MappingLeaf,
    isFirstPass: Bool
  ) {
    self.regions = regions
    self.begin = begin
    self.end = min(end, begin + ReverseEntry.reach)
    self.capacity = capacity
    limit = capacity
    self.leaf = leaf
    histogram = isFirstPass ? ReverseHistogram(regions) : nil
    // Memory that is never touched costs nothing; growing would take three times as much.
    entries.reserveCapacity(capacity + 1)
  }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    leaf.read(node, reference, findings: &findings)
    join(leaf.runs)
    let runs = runs
    guard let first = runs.first, let last = runs.last else { return }
    if histogram != nil { note(reference.block.number, first, last, isOnly: runs.count == 1) }
    let end = runs.endIndex - 1
    for index in runs.indices {
      let run = runs[index]
      // Most have nothing to do with what is asked for.
      if run.dataBegin >= regions.end || run.dataBegin + run.length <= begin { continue }
      add(run, of: reference.block.number, isFirst: index == 0, isLast: index == end)
    }
  }

  /// Puts the runs of a leaf together where only the time differs, which nobody asks for.
  private mutating func join(_ parts: ArraySlice<MappingRun>) {
    runs.removeAll(keepingCapacity: true)
    for part in parts {
      let last = runs.count - 1
      if last >= 0, part.virtualBegin - runs[last].virtualBegin == runs[last].length,
        part.dataBegin == runs[last].dataBegin + runs[last].length
      {
        runs[last].length += part.length
      } else {
        runs.append(part)
      }
    }
  }

  private mutating func note(
    _ leaf: UInt32, _ first: MappingRun, _ last: MappingRun, isOnly: Bool
  ) {
    if regions.touch(first.dataBlocks) {
      firsts.append(
        LeafEdges.First(
          leaf: leaf, length: UInt32(first.length) | (isOnly ? LeafEdges.onlyRun : 0),
          virtualBegin: first.virtualBegin, dataBegin: first.dataBegin))
    }
    if !isOnly, regions.touch(last.dataBlocks) {
      lasts.append(
        LeafEdges.Last(
          leaf: leaf, virtualEnd: last.virtualLast &+ 1, dataEnd: last.dataBegin + last.length))
    }
  }

  private mutating func add(_ run: MappingRun, of leaf: UInt32, isFirst: Bool, isLast: Bool) {
    let runEnd = run.dataBegin + run.length
    let regions = regions
    regions.forEachPart(of: run.dataBlocks) { part, region in
      let start = part.lowerBound
      histogram?.count(start)
      if start < begin || start >= end { return }
      entries.append(
        ReverseEntry(
          offset: start - begin, leaf: leaf, length: part.count,
          virtualBegin: run.virtualBegin &+ (start - run.dataBegin),
          isFirst: isFirst && start == run.dataBegin && start > region.lowerBound,
          isLast: isLast && part.upperBound == runEnd && runEnd < region.upperBound))
    }
    if entries.count > limit { dropLater() }
  }

  /// Leaves about half of the entries, those that begin later, to another pass.
  private mutating func dropLater() {
    let step = max(1, entries.count / ReverseVisitor.sampleCount)
    let sample = stride(from: 0, to: entries.count, by: step).map { entries[$0].offset }.sorted()
    let middle = sample[sample.count / 2]
    // Those that begin together stay together, or nothing would come first.
    let cut = middle > 0 ? middle : (sample.first { $0 > 0 } ?? 0)
    if cut > 0 {
      end = min(end, begin + cut)
      entries.removeAll { $0.offset >= cut }
    }
    limit = max(capacity, 2 * entries.count)
  }

  /// Leaves what begins at `block` or behind to another pass; what there is, is sorted.
  mutating func drop(from block: UInt64) {
    end = min(end, block)
    while let last = entries.last, begin + last.offset >= end { entries.removeLast() }
  }

  /// Gives up what the first pass found out, once it is kept elsewhere.
  mutating func forgetEdges() {
    firsts = []
    lasts = []
  }

  mutating func sort() { entries.sortByKey(below: (end - begin) << 32) }
}

extension [ReverseEntry] {
  /// At most so many bits of a key choose a bucket.
  private static let mostBucketBits: UInt64 = 18
  /// Up to so many in a bucket are put in order one by one.
  private static let few = 48

  /// Sorts by the whole key, in place; keys lie below `limit`, 0 standing for 2^64.
  fileprivate mutating func sortByKey(below limit: UInt64) {
    let bits = limit == 0 ? 64 : 64 - (limit - 1).leadingZeroBitCount
    sort(0..<count, below: UInt64(bits))
  }

  /// Sorts a part whose keys differ in their lowest bits only.
  private mutating func sort(_ part: Range<Int>, below bits: UInt64) {
    if part.count <= Self.few {
      var entries = mutableSpan
      return entries.insertionSort(part)
    }
    // Keys with no other bits are equal.
    if bits == 0 { return }
    // Some eight in a bucket are put in order soonest.
    let wanted = UInt64(Int.bitWidth - part.count.leadingZeroBitCount - 4)
    let bucketBits = Swift.min(bits, wanted, Self.mostBucketBits)
    let shift = bits - bucketBits
    let mask: UInt64 = (1 << bucketBits) - 1
    var ends = [Int](repeating: 0, count: Int(mask) + 1)
    var starts = ends
    var entries = mutableSpan
    for index in part { ends[Int(entries[index].key >> shift & mask)] += 1 }
    var sum = part.lowerBound
    for bucket in ends.indices {
      starts[bucket] = sum
      sum += ends[bucket]
      ends[bucket] = sum
    }
    entries.distribute(&starts, ends) { Int($0 >> shift & mask) }
    var start = part.lowerBound
    for end in ends {
      if end - start > Self.few {
        sort(start..<end, below: shift)
      } else {
        var entries = mutableSpan
        entries.insertionSort(start..<end)
      }
      start = end
    }
  }
}

extension MutableSpan<ReverseEntry> {
  /// Moves each entry into its bucket.
  fileprivate mutating func distribute(
    _ starts: inout [Int], _ ends: [Int], _ bucketOf: (UInt64) -> Int
  ) {
    for bucket in ends.indices {
      while starts[bucket] < ends[bucket] {
        let place = starts[bucket]
        var entry = self[place]
        // Each entry that is displaced goes to where it belongs, until one belongs here.
        var target = bucketOf(entry.key)
        while target != bucket {
          let next = starts[target]
          starts[target] = next + 1
          let displaced = self[next]
          self[next] = entry
          entry = displaced
          target = bucketOf(entry.key)
        }
        self[place] = entry
        starts[bucket] = place + 1
      }
    }
  }

  fileprivate mutating func insertionSort(_ part: Range<Int>) {
    guard part.count > 1 else { return }
    for index in part.lowerBound + 1..<part.upperBound {
      let entry = self[index]
      var place = index
      while place > part.lowerBound, self[place - 1].key > entry.key {
        self[place] = self[place - 1]
        place -= 1
      }
      self[place] = entry
    }
  }
}
