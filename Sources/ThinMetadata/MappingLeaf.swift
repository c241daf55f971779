package import PersistentData

/// The mappings of one leaf of a mapping tree, judged and put together to runs.
///
/// The one place where a mapping's value is looked at: check counts the runs, dump writes them,
/// repair rebuilds from them.
package struct MappingLeaf: Sendable {
  /// What a pool allows of a mapping.
  package struct Limits: Sendable {
    /// Data blocks on the data device.
    package let dataBlockCount: UInt64
    /// The pool's time; nothing can have been mapped later.
    package let time: UInt32

    package init(dataBlockCount: UInt64, time: UInt32) {
      self.dataBlockCount = dataBlockCount
      self.time = time
    }
  }

  /// The runs of the leaf read last, ascending.
  package private(set) var runs: [MappingRun] = []
  /// How many mappings they hold.
  package private(set) var mappingCount = 0

  private let limits: Limits

  package init(_ limits: Limits) { self.limits = limits }

  /// Takes the mappings of a sound leaf. Those that can't be true are left out, with a finding:
  /// outside the keys of the leaf's parents, or beyond the data device.
  package mutating func read(
    _ leaf: BTreeNode, _ reference: NodeReference, findings: inout Findings
  ) {
    runs.removeAll(keepingCapacity: true)
    mappingCount = leaf.entryCount
    guard let keys = leaf.keys else { return }
    collectRuns(leaf)
    // All but the strangest leaves pass at once; the others are gone through entry by entry.
    let isInRange = keys.lowerBound >= reference.first && keys.upperBound <= reference.last
    if !isInRange || !runs.allSatisfy(isPossible) {
      collectPossible(leaf, reference, &findings)
    }
  }

  /// Puts entries together where key and data block go up by one and the time is the same: then
  /// the whole value goes up by the same step.
  private mutating func collectRuns(_ leaf: BTreeNode) {
    let step: UInt64 = 1 << Mapping.timeBits
    var begin = 0
    var key = leaf.key(0)
    var value = leaf.value(0)
    for index in 1..<leaf.entryCount {
      let nextKey = leaf.key(index)
      let nextValue = leaf.value(index)
      // A wrapped sum is smaller than what came before it, and keys ascend.
      if nextKey == key &+ 1, nextValue == value &+ step {
        key = nextKey
        value = nextValue
        continue
      }
      append(leaf, begin..<index)
      begin = index
      key = nextKey
      value = nextValue
    }
    append(leaf, begin..<leaf.entryCount)
  }

  private mutating func append(_ leaf: BTreeNode, _ entries: Range<Int>) {
    let mapping = Mapping(leaf.value(entries.lowerBound))
    runs.append(
      MappingRun(
        virtualBegin: leaf.key(entries.lowerBound), dataBegin: mapping.dataBlock,
        length: UInt64(entries.count), time: mapping.time))
  }

  private func isPossible(_ run: MappingRun) -> Bool {
    run.dataBegin + run.length <= limits.dataBlockCount && run.time <= limits.time
  }

  private mutating func collectPossible(
    _ leaf: BTreeNode, _ reference: NodeReference, _ findings: inout Findings
  ) {
    runs.removeAll(keepingCapacity: true)
    mappingCount = 0
    var open: MappingRun?
    for index in 0..<leaf.entryCount {
      let key = leaf.key(index)
      let mapping = Mapping(leaf.value(index))
      guard key >= reference.first, key <= reference.last else { continue }
      guard isPossible(mapping, reference, index, key, &findings) else { continue }
      mappingCount += 1
      if open?.isContinued(by: key, mapping) == true {
        open?.length += 1
        continue
      }
      if let open { runs.append(open) }
      open = MappingRun(
        virtualBegin: key, dataBegin: mapping.dataBlock, length: 1, time: mapping.time)
    }
    if let open { runs.append(open) }
  }

  private func isPossible(
    _ mapping: Mapping, _ reference: NodeReference, _ index: Int, _ key: UInt64,
    _ findings: inout Findings
  ) -> Bool {
    if mapping.time > limits.time {
      findings.report(
        .mappingTimeInFuture,
        at: PoolReader.Structure.mapping.site(reference, entry: index, keys: key...key),
        found: "time \(mapping.time)", expected: "at most \(limits.time)")
    }
    if mapping.dataBlock < limits.dataBlockCount { return true }
    findings.report(
      .dataBlockOutOfRange,
      at: PoolReader.Structure.mapping.site(reference, entry: index, keys: key...key),
      found: "data block \(mapping.dataBlock)", expected: "below \(limits.dataBlockCount)")
    return false
  }
}
