/// What a check of any target's metadata tells, and can mend in place.
package protocol MetadataReport: Sendable {
  var findings: Findings { get }
  /// Whether all was looked at, space maps included.
  var isComplete: Bool { get }
  /// Whether there is anything that `mend` would change.
  var needsMending: Bool { get }

  /// Checks all of `file` and returns what it finds.
  static func fullCheck(of file: BlockFile) throws(IOError) -> Findings

  /// Mends in place what can be mended, and clears needs_check; only after a full check without
  /// errors.
  ///
  /// `undoPath`: a new file that first gets what all blocks concerned hold now.
  func mend(_ file: BlockFile, keepingUndoAt undoPath: String?) throws(MendError)
}

extension MetadataReport {
  /// Mends without a way back.
  package func mend(_ file: BlockFile) throws(MendError) {
    try mend(file, keepingUndoAt: nil)
  }

  /// What a check finds after `mend`. Takes another check where something was found that can't be
  /// mended; otherwise there is nothing left.
  package func findingsLeft(in file: BlockFile) throws(IOError) -> Findings {
    let canStay = findings.counts.keys.contains { $0.severity > .note && !$0.entry.isMendable }
    return canStay ? try Self.fullCheck(of: file) : Findings()
  }
}
