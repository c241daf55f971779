/// The only way to follow a pointer to its block.
extension Findings {
  /// The block that `pointer` leads to on a device of `blockCount` blocks; `nil`, with a finding,
  /// if that is off the device, or the superblock.
  @inline(__always) package mutating func block(
    at pointer: UInt64, of blockCount: UInt64, from site: @autoclosure () -> Site
  ) -> MetadataBlock? {
    if let block = MetadataBlock(pointer: pointer, count: blockCount) { return block }
    report(
      .childOutOfDevice, at: site(), found: "block \(pointer)", expected: .below(blockCount))
    return nil
  }
}

extension BlockUsage {
  /// Follows a pointer stored at `site`: counts the reference, and returns the block; `nil`, with a
  /// finding, if the device has no such block.
  package mutating func follow(
    _ pointer: UInt64, from site: @autoclosure () -> Site, _ findings: inout Findings
  ) -> MetadataBlock? {
    let block = findings.block(at: pointer, of: blockCount, from: site())
    if block != nil { references.increment(pointer) }
    return block
  }

  /// Claims a block for `user`. If another user already has it, reports that at `site` and returns
  /// `false`.
  package mutating func claim(
    _ block: MetadataBlock, for user: String, at site: @autoclosure () -> Site,
    _ findings: inout Findings
  ) -> Bool {
    guard let earlier = claim(block, for: user) else { return true }
    findings.report(.blockUsedTwice, at: site(), found: Evidence(words: earlier))
    return false
  }
}
