internal import PersistentData

extension PoolReader {
  /// Reads the mappings once more, without some: ranges of virtual blocks, ascending, by the block
  /// of their leaf. Returns the new counts.
  mutating func leaveOut(
    _ mappings: [MetadataBlock: [ClosedRange<UInt64>]]
  ) -> RefCounts {
    leftOut.merge(mappings) { ($0 + $1).joined }
    // What is wrong with leaves has been reported; times are judged again by what is left.
    let said = findings
    sharedTimes = nil
    let counts = readMappings(keepingRuns: true)
    findings = said
    return counts
  }
}
