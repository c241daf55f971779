/// What a check of any target's metadata tells, and can mend in place.
package protocol MetadataReport: Sendable {
  associatedtype Superblock: SuperblockFormat
  associatedtype Plan: InPlaceMend

  var findings: Findings { get }
  /// `nil` when there is no superblock to speak of.
  var superblock: Superblock? { get }
  /// What can be mended in place; `nil` unless everything was looked at, space maps included.
  var plan: Plan? { get }

  /// Checks all of `file` and returns what it finds.
  static func fullCheck(of file: BlockFile) throws(IOError) -> Findings
}

extension MetadataReport {
  /// Whether all was looked at, space maps included.
  package var isComplete: Bool { plan != nil }

  /// Whether there is anything that `mend` would change.
  package var needsMending: Bool {
    findings.hasMendable || superblock?.needsCheck == true
  }

  /// Mends in place what can be mended, and clears needs_check; only after a full check without
  /// errors.
  ///
  /// `undoPath`: a new file that first gets what all blocks concerned hold now.
  package func mend(
    _ file: BlockFile, keepingUndoAt undoPath: String? = nil
  ) throws(MendError) {
    precondition(findings.worst != .error && isComplete)
    try plan?.apply(to: file, keepingUndoAt: undoPath)
  }

  /// What a check finds after `mend`. Takes another check where something was found that can't be
  /// mended; otherwise there is nothing left.
  package func findingsLeft(in file: BlockFile) throws(IOError) -> Findings {
    let canStay = findings.counts.keys.contains { $0.severity > .note && !$0.entry.isMendable }
    return canStay ? try Self.fullCheck(of: file) : Findings()
  }
}
