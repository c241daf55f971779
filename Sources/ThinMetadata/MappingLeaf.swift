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
    if !isInRange(keys, reference) || !runs.allSatisfy(isPossible) {
      collectPossible(leaf, reference, &findings)
    }
  }

  /// Whether nothing is wrong with the mappings of a leaf: with its keys, with a mapping of the
  /// highest data block and the latest time that occur in it.
  package func isSound(
    _ keys: ClosedRange<UInt64>, _ bounds: Mapping, _ reference: NodeReference
  ) -> Bool {
    isInRange(keys, reference) && bounds.dataBlock < limits.dataBlockCount
      && bounds.time <= limits.time
  }

  private func isInRange(_ keys: ClosedRange<UInt64>, _ reference: NodeReference) -> Bool {
    keys.lowerBound >= reference.first && keys.upperBound <= reference.last
  }

  /// Puts entries together where key and data block go up by one and the time is the same: then
  /// the whole value goes up by the same step.
  private mutating func collectRuns(_ leaf: BTreeNode) {
    let step: UInt64 = 1 << Mapping.timeBits
    let keys = leaf.keySpan
    let values = leaf.valueSpan
    var begin = 0
    var firstKey = UInt64(littleEndian: keys[0])
    var firstValue = UInt64(littleEndian: values[0])
    while begin < keys.count {
      var end = begin + 1
      var key = firstKey
      var value = firstValue
      while end < keys.count {
        let nextKey = UInt64(littleEndian: keys[end])
        let nextValue = UInt64(littleEndian: values[end])
        // Keys ascend, so a sum that wrapped round equals no key that follows.
        guard nextKey == key &+ 1, nextValue == value &+ step else { break }
        key = nextKey
        value = nextValue
        end += 1
      }
      let mapping = Mapping(firstValue)
      runs.append(
        MappingRun(
          virtualBegin: firstKey, dataBegin: mapping.dataBlock, length: UInt64(end - begin),
          time: mapping.time))
      if end < keys.count {
        firstKey = UInt64(littleEndian: keys[end])
        firstValue = UInt64(littleEndian: values[end])
      }
      begin = end
    }
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
