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
