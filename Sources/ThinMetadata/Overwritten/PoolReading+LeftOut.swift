internal import PersistentData

extension PoolReading {
  /// Reads and counts the mappings once more, without some: ranges of virtual blocks, ascending, by
  /// the block of their leaf.
  mutating func leaveOut(_ mappings: [MetadataBlock: [ClosedRange<UInt64>]]) {
    reader.limits.leftOut.merge(mappings) { ($0 + $1).joined }
    // What is wrong with leaves has been reported.
    let said = reader.findings
    counts = reader.readMappings(keepingRuns: true)
    reader.findings = said
    dataDifferences = nil
  }
}
