/// What a check learns about each metadata block: who uses it, and how often it is referred to.
///
/// At the end of a check the metadata space map is held against it: every allocated block was
/// visited, or a finding says why not.
package struct BlockUsage {
  /// Blocks on the device.
  package let blockCount: UInt64
  /// References counted: one for each pointer in a distinct block.
  package let references: RefCounts
  /// The user of each block, as an index into `users` plus one; 0 where nobody came by.
  private var uses: BlockTable<UInt8>
  private var users: [String] = []
  /// Blocks that somebody visited.
  package private(set) var claimedCount: UInt64 = 0

  package init(blockCount: UInt64) {
    self.blockCount = blockCount
    references = RefCounts(count: blockCount)
    uses = BlockTable(count: blockCount)
  }

  /// Notes that `user` visits `block`; returns who already had, if anyone.
  package mutating func claim(_ block: MetadataBlock, for user: String) -> String? {
    let earlier = uses[block.index]
    if earlier > 0 { return users[Int(earlier) - 1] }
    claimedCount += 1
    // Users take turns but seldom, so the last is nearly always the one.
    if users.last == user {
      uses[block.index] = UInt8(users.count)
    } else if let index = users.firstIndex(of: user) {
      uses[block.index] = UInt8(index + 1)
    } else {
      users.append(user)
      uses[block.index] = UInt8(users.count)
    }
    return nil
  }

  /// Takes back a claim of one who could not use the block.
  package mutating func release(_ block: MetadataBlock) { uses[block.index] = 0 }

  /// Who visited `block`, if anyone.
  package func user(of block: MetadataBlock) -> String? {
    let use = uses[block.index]
    return use > 0 ? users[Int(use) - 1] : nil
  }

  /// The same claims, with nothing counted yet: for one who looks at more and counts for itself.
  package var withNothingCounted: BlockUsage {
    var copy = BlockUsage(blockCount: blockCount)
    copy.uses = uses
    copy.users = users
    return copy
  }

  package func isClaimed(_ block: MetadataBlock) -> Bool { uses[block.index] > 0 }
}
