internal import PersistentData

extension Tool {
  /// Reads the superblock of a cache or an era device; fails if it can't be trusted.
  func openSuperblock<Superblock: SuperblockFormat>(
    _ file: BlockFile, _ path: String, at site: Site, for target: MetadataTarget
  ) throws(Failure) -> (superblock: Superblock, findings: Findings) {
    var findings = Findings()
    guard let superblock = Superblock.read(.superblock, of: file, at: site, into: &findings) else {
      throw damaged(findings, path, for: target)
    }
    superblock.check(home: .superblock, at: site, into: &findings)
    return (superblock, findings)
  }

  /// Reports what is damaged, and which tool tells more.
  func damaged(_ findings: Findings, _ path: String, for target: MetadataTarget) -> Failure {
    shared.messages.say(findings)
    return Failure(
      .damaged,
      "the metadata is damaged, so no complete output can be written; '\(target.tool("check"))' "
        + "tells more, '\(target.tool("repair"))' writes what can be rescued")
  }
}
