/// What mending in place will write where a check found nothing worse than what can be mended:
/// blocks of the metadata space map, then the superblock.
///
/// Only the fields concerned are rewritten; bytes outside known fields are kept.
package struct MendPlan<Superblock: SuperblockFormat>: InPlaceMend {
  package let metadataMap: SpaceMapMend
  /// The superblock to write, except for the root of the metadata space map.
  package let superblock: Superblock

  package init(metadataMap: SpaceMapMend, superblock: Superblock) {
    self.metadataMap = metadataMap
    self.superblock = superblock
  }

  package func edit(through editor: inout some BlockEditor) throws(IOError) {
    var mended = superblock
    mended.metadataSpaceMap = try metadataMap.apply(through: &editor)
    try editor.finish { $0 = mended }
  }
}

extension MendPlan {
  /// Visits the metadata space map's own blocks, then compares its counts with all that was counted
  /// before: the last part of a check.
  ///
  /// `superblock`: as it is now; its needs_check is cleared in the plan. `metadata`: the site of
  /// the note that counts can't be judged. `isAllReached`: whether everything that may refer to
  /// blocks was read; if not, a count that is too high proves nothing. `missedByFormat`: as for
  /// `SpaceMapComparison`.
  package init(
    _ superblock: Superblock, _ label: StructureLabel, of metadata: Site, in file: BlockFile,
    isAllReached: Bool = true, missedByFormat: UInt32 = 0, usage: inout BlockUsage,
    findings: inout Findings
  ) {
    let map = StoredSpaceMap(
      label, root: superblock.metadataSpaceMap, index: .block, in: file, usage: &usage,
      findings: &findings)
    var differences = Findings()
    let mend = SpaceMapMend(
      map, usage.references, missedByFormat: missedByFormat, findings: &differences)
    if !isAllReached || findings.worst == .error || !map.hasAllLargeCounts {
      let hidden = differences.drop(.leak)
      if hidden > 0 {
        findings.report(.countsNotJudged, at: metadata, found: "\(hidden) blocks")
      }
    }
    findings.merge(differences)
    var mended = superblock
    mended.needsCheck = false
    self.init(metadataMap: mend, superblock: mended)
  }
}
