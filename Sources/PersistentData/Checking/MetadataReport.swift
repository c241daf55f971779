/// What a check of any target's metadata found, and what can be mended in place.
package protocol MetadataReport: Sendable {
  associatedtype Superblock: SuperblockFormat
  associatedtype Plan: InPlaceMend

  var findings: Findings { get }
  /// `nil` when there is no usable superblock.
  var superblock: Superblock? { get }
  /// What can be mended in place; `nil` unless everything was checked, space maps included.
  var plan: Plan? { get }

  /// Checks all of `file` and returns what it finds.
  static func fullCheck(of file: BlockFile) -> Findings
}

extension MetadataReport {
  /// Whether everything was checked, space maps included.
  package var isComplete: Bool { plan != nil }

  /// Whether `mend` would change anything.
  package var needsMending: Bool {
    findings.hasMendable || superblock?.needsCheck == true
  }

  /// Mends in place what can be mended, and clears needs_check; only after a full check without
  /// errors.
  ///
  /// `undoPath`: a new file that first receives the current contents of all blocks concerned.
  package func mend(
    _ file: BlockFile, keepingUndoAt undoPath: String? = nil
  ) throws(MendError) {
    precondition(findings.worst != .error && isComplete)
    try plan?.apply(to: file, keepingUndoAt: undoPath)
  }

  /// What a check finds after `mend`. Checks again if something was found that can't be mended;
  /// otherwise nothing is left.
  package func findingsLeft(in file: BlockFile) -> Findings {
    let canStay = findings.counts.keys.contains { $0.severity > .note && !$0.entry.isMendable }
    return canStay ? Self.fullCheck(of: file) : Findings()
  }
}
