internal import PersistentData

extension PoolReader {
  /// Reads the mappings once more, without those whose data has been overwritten for certain.
  /// Returns the new counts.
  mutating func leaveOut(_ data: OverwrittenData) throws(IOError) -> RefCounts {
    leftOut = data.certain
    // What is wrong with leaves has been said; of times it is told anew what is left.
    let said = findings
    sharedTimes = nil
    let counts = try readMappings(keepingRuns: true)
    findings = said
    return counts
  }
}
