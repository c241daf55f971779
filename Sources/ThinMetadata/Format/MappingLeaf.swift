package import PersistentData

/// The mappings of one leaf of a mapping tree, checked and joined into runs.
///
/// The one place where it is decided which mappings are possible, for check, dump and repair.
package struct MappingLeaf: Sendable {
  /// What a pool allows of a mapping.
  package struct Limits: Sendable {
    /// Data blocks on the data device.
    package let dataBlockCount: UInt64
    /// The pool's time; nothing can have been mapped later.
    package internal(set) var time: UInt32
    /// Mappings to ignore: ranges of virtual blocks, ascending, by the block of their leaf.
    var leftOut: [MetadataBlock: [ClosedRange<UInt64>]] = [:]
    /// What replaces a later time; `nil` when such a time is left as it is.
    var lateTimes: LateTimes?

    package init(dataBlockCount: UInt64, time: UInt32) {
      self.dataBlockCount = dataBlockCount
      self.time = time
    }
  }

  /// How many mappings the runs hold.
  package private(set) var mappingCount = 0

  private let limits: Limits
  /// The first `runCount` are in use.
  private var room: [MappingRun]
  private var runCount = 0

  package init(_ limits: Limits) {
    self.limits = limits
    let capacity = BTreeNode.capacity(valueSize: Mapping.valueSize)
    let none = MappingRun(virtualBegin: 0, dataBegin: 0, length: 0, time: 0)
    room = Array(repeating: none, count: capacity)
  }

  /// The runs of the leaf read last, ascending.
  package var runs: ArraySlice<MappingRun> { room[..<runCount] }

  /// Takes the mappings of a sound leaf. Those that can't be true are left out, with a finding:
  /// outside the keys of the leaf's parents, or beyond the data device.
  ///
  /// Returns `false`, and has no runs, when nothing is wrong and there are more than `limit` runs.
  @discardableResult package mutating func read(
    _ leaf: BTreeNode, _ reference: NodeReference, upTo limit: Int = .max,
    findings: inout Findings
  ) -> Bool {
    let isWithinLimit = readSound(leaf, upTo: limit)
    guard let keys = leaf.keys else { return true }
    if !isWithinLimit {
      if isSound(keys, Mapping.bounds(of: leaf.valueSpan), reference) { return false }
      readSound(leaf)
    }
    // Nearly all leaves pass at once; the others are checked entry by entry.
    if !isInRange(keys, reference) || !runs.allSatisfy(isPossible) || hasLeftOut(reference) {
      collectPossible(leaf, reference, &findings)
    }
    return true
  }

  /// Takes the mappings of a leaf with which nothing is wrong. Returns `false`, and has no runs,
  /// when there are more than `limit` runs.
  @discardableResult mutating func readSound(_ leaf: BTreeNode, upTo limit: Int = .max) -> Bool {
    mappingCount = leaf.entryCount
    let ends = RunEnds(of: leaf.valueSpan, step: 1 << Mapping.timeBits, keys: leaf.keySpan)
    runCount = ends.count
    if runCount > limit {
      runCount = 0
      return false
    }
    makeRuns(leaf, ends)
    return true
  }

  /// Whether nothing is wrong with the mappings of a leaf with these keys. `bounds`: the highest
  /// data block and the latest time that occur in it.
  package func isSound(
    _ keys: ClosedRange<UInt64>, _ bounds: Mapping, _ reference: NodeReference
  ) -> Bool {
    isInRange(keys, reference) && bounds.dataBlock < limits.dataBlockCount
      && bounds.time <= limits.time && !hasLeftOut(reference)
  }

  private func hasLeftOut(_ reference: NodeReference) -> Bool {
    !limits.leftOut.isEmpty && limits.leftOut[reference.block] != nil
  }

  private func isInRange(_ keys: ClosedRange<UInt64>, _ reference: NodeReference) -> Bool {
    keys.lowerBound >= reference.first && keys.upperBound <= reference.last
  }

  /// Puts entries together where key and data block go up by one and the time is the same: then
  /// the whole value goes up by the same step.
  private mutating func makeRuns(_ leaf: BTreeNode, _ ends: RunEnds) {
    let count = runCount
    var ends = ends
    var start = 0
    var runs = room.mutableSpan
    for run in 0..<count {
      let end = ends.next() &+ 1
      let mapping = Mapping(leaf.value(start))
      runs[run] = MappingRun(
        virtualBegin: leaf.key(start), dataBegin: mapping.dataBlock,
        length: UInt64(end &- start), time: mapping.time)
      start = end
    }
  }

  private func isPossible(_ run: MappingRun) -> Bool {
    run.dataBegin + run.length <= limits.dataBlockCount && run.time <= limits.time
  }

  private mutating func collectPossible(
    _ leaf: BTreeNode, _ reference: NodeReference, _ findings: inout Findings
  ) {
    runCount = 0
    mappingCount = 0
    let leftOut = limits.leftOut[reference.block, default: []]
    for index in 0..<leaf.entryCount {
      let key = leaf.key(index)
      let stored = Mapping(leaf.value(index))
      guard key >= reference.first, key <= reference.last, !leftOut.hasRange(with: key)
      else { continue }
      guard isPossible(stored, reference, index, key, &findings) else { continue }
      let mapping =
        stored.time > limits.time ? limits.lateTimes?.corrected(stored) ?? stored : stored
      mappingCount += 1
      let run = MappingRun(key, mapping)
      if runCount > 0, room[runCount - 1].join(run) { continue }
      room[runCount] = run
      runCount += 1
    }
  }

  private func isPossible(
    _ mapping: Mapping, _ reference: NodeReference, _ index: Int, _ key: UInt64,
    _ findings: inout Findings
  ) -> Bool {
    if mapping.time > limits.time {
      findings.report(
        .mappingTimeInFuture,
        at: PoolReader.Structure.mapping.site(reference, entry: index, keys: key...key),
        found: "time \(mapping.time)", expected: .atMost(limits.time))
    }
    if mapping.dataBlock < limits.dataBlockCount { return true }
    findings.report(
      .dataBlockOutOfRange,
      at: PoolReader.Structure.mapping.site(reference, entry: index, keys: key...key),
      found: "data block \(mapping.dataBlock)", expected: .below(limits.dataBlockCount))
    return false
  }
}
